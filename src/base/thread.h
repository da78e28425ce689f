/* src/base/thread.h: what a thread says of itself to the system. */
#ifndef MILLRACE_BASE_THREAD_H
#define MILLRACE_BASE_THREAD_H

/* Names the calling thread, at most 15 bytes, for top, gdb and the CPU by stage of bench/orders. `steps_back`, 0 to 19: so much nicer
 * than the process (setpriority(2): Linux keeps a niceness for each thread), for work that nobody waits for, where processors
 * are short. Needs no right; a system that refuses it runs the thread as all others. */
void thread_begin(const char *name, int steps_back);

#endif
