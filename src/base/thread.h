/* src/base/thread.h: what a thread says of itself to the system. */
#ifndef MILLRACE_BASE_THREAD_H
#define MILLRACE_BASE_THREAD_H

/* Names the calling thread, at most 15 bytes, for top, gdb and the CPU by stage of bench/orders. Where processors are short:
 * - `steps_back`, 0 to 19: so much nicer than the process (setpriority(2): Linux keeps a niceness for each thread), for work that has
 *   more to do than anybody waits for;
 * - `slice_us`, 100 to 100,000, 0 for the system's own: how long it goes on before another has its turn (sched_setattr(2), Linux 6.12 and
 *   later): short for those who answer people in little time, who come to their turn the sooner for it, and long for those who have much
 *   to do.
 * Needs no right; a system that refuses it, or does not know it, runs the thread as all others. */
void thread_begin(const char *name, int steps_back, int slice_us);

#define THREAD_ANSWERS_US 300 /* slice of those who answer people */

#endif
