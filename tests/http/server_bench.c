/* tests/http/server_bench.c: the test shop's server until its input ends, for wrk, promtool and redocly; by hand. */
#include "server_shop.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

int main(void)
{
    struct shop *shop = shop_open(&(struct http_options) { 0 });
    printf("http://127.0.0.1:%u\n", http_port(shop->server));
    fflush(stdout);
    while (getchar() != EOF)
        continue;
    shop_close(shop);
    return 0;
}
