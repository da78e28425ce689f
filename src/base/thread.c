/* src/base/thread.c: see thread.h. */
#include "base/thread.h"
#include <pthread.h>
#include <sys/resource.h>

void thread_begin(const char *name, int steps_back)
{
    pthread_setname_np(pthread_self(), name);
    if (steps_back > 0) /* 0 is the calling thread, and the kernel takes what is above 19 for 19 */
        (void)setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + steps_back);
}
