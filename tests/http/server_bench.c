/* tests/http/server_bench.c: the test shop's server until its input ends, for wrk, promtool and redocly; by hand.
 * The first argument is how long a commit takes, in microseconds: without one the engine wakes up for every command, and
 * that is what is measured. */
#include "server_shop.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

int main(int count, char **arguments)
{
    struct shop *shop = shop_open(&(struct http_options){ 0 });
    shop_commit_takes(shop, count > 1 ? (unsigned)atoi(arguments[1]) : 0);
    printf("http://127.0.0.1:%u\n", http_port(shop->server));
    fflush(stdout);
    while (getchar() != EOF)
        continue;
    shop_close(shop);
    return 0;
}
