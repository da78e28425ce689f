/* src/base/thread.c: see thread.h. */
#include "base/thread.h"
#include <pthread.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* As in sched_setattr(2): the C library has neither the call nor this. */
struct attributes {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period; /* ns */
};
#define KEEP_POLICY 8

void thread_begin(const char *name, int steps_back, int slice_us)
{
    pthread_setname_np(pthread_self(), name);
    if (steps_back > 0) /* 0 is the calling thread, and the kernel takes what is above 19 for 19 */
        (void)setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + steps_back);
    if (slice_us > 0) {
        struct attributes wish = {
            .size = sizeof wish, .flags = KEEP_POLICY, .nice = getpriority(PRIO_PROCESS, 0), .runtime = (uint64_t)slice_us * 1000
        };
        (void)syscall(SYS_sched_setattr, 0, &wish, 0);
    }
}
