/* tests/import/tables_test.c: tables through a real server, on both stores: what is good is done, what is not comes back with its reason and
 * can be mended, the same file changes nothing twice, and what one company exports makes another one like it. */
#include "crash/client.h"
#include "crash/site.h"
#include "base/text.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

/* A company, its server, and files beside it. */
struct office {
    struct site site;
    struct server server;
    int code;
    char said[65536];
};

static void open_office(struct office *office, const char *postgres)
{
    *office = (struct office){ 0 };
    site_make(&office->site, NULL, postgres);
    (void)server_start(&office->server, &office->site);
}

static void close_office(struct office *office)
{
    server_stop(&office->server);
    assert_int_equal(site_check(&office->site), 0);
    site_delete(&office->site);
}

/* The words of a shell in the office's folder, with `millrace` in them; what is said on both outputs stands in office->said. */
__attribute__((format(printf, 2, 3))) static void sh(struct office *office, const char *format, ...)
{
    static char line[16384], words[12288];
    va_list args;
    va_start(args, format);
    vsnprintf(words, sizeof words, format, args);
    va_end(args);
    snprintf(line, sizeof line,
             "cd '%s' && export MILLRACE_KEY='%s' MILLRACE_URL=http://127.0.0.1:%d && millrace() { timeout 300 '%s' \"$@\"; } && { %s\n} 2>&1",
             office->site.folder, office->site.key, (int)office->server.port, getenv("MILLRACE_BINARY"), words);
    FILE *pipe = popen(line, "r");
    assert_non_null(pipe);
    size_t bytes = fread(office->said, 1, sizeof office->said - 1, pipe);
    office->said[bytes] = '\0';
    int status = pclose(pipe);
    office->code = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static void says(const struct office *office, int code, const char *text)
{
    if (office->code != code || strstr(office->said, text) == NULL)
        fail_msg("exit %d, and not \"%s\": %s", office->code, text, office->said);
}

/* What is told is `text` to the letter. */
static void says_only(const struct office *office, const char *text)
{
    if (strcmp(office->said, text) != 0)
        fail_msg("not\n%s\nbut\n%s", text, office->said);
}

static void make_places(struct office *office)
{
    sh(office,
       "printf 'code,name,currency,country,time_zone\\nDE,Germany,EUR,DE,Europe/Berlin\\n' | millrace import units --file - &&"
       "printf 'code,unit,name,kind,country,postal_code\\nBER,DE,Berlin,warehouse,DE,10115\\nLEJ,DE,Leipzig,warehouse,DE,04109\\n' | millrace import nodes --file - &&"
       "printf 'code,unit,name,kind,nodes,shortage\\nweb,DE,Web,store,BER;LEJ,backorder\\n' | millrace import channels --file -");
    says(office, 0, "{\"rows\":2,\"entries\":2,\"made\":2,\"there\":0,\"rows_left_out\":0,\"dry_run\":false}");
}

static void rows_that_are_mended(const char *postgres)
{
    struct office office;
    open_office(&office, postgres);
    sh(&office,
       "printf 'name,code,weight_g,gtin\\nLamp,LAMP,1200,\\n\"Bulb, 2\",BULB,heavy,123\\n,,,\\nNo code,,,\\n\"=1+1\",EQ,,\\nLamp two,LAMP,1,\\ntoo,many,cells,in,it\\n' > skus.csv;"
       "millrace import skus --file skus.csv --errors left.csv");
    says(&office, 1, "{\"rows\":7,\"entries\":6,\"made\":2,\"there\":1,\"rows_left_out\":4,\"dry_run\":false}");
    says(&office, 1, "skus.csv:3: weight_g: a whole number is due; gtin: 123 has not 8, 12, 13 or 14 digits with the right check digit");
    sh(&office, "cat left.csv");
    says_only(&office,
              "name,code,weight_g,gtin,error\n"
              "\"Bulb, 2\",BULB,heavy,123,\"weight_g: a whole number is due; gtin: 123 has not 8, 12, 13 or 14 digits with the right check digit\"\n"
              ",,,,\"code: it says which one the entry is about; name: \"\"name\"\" is missing\"\n"
              "No code,,,,code: it says which one the entry is about\n"
              "too,many,cells,in,\"5 cells, the first row has 4\"\n");
    sh(&office,
       "sed -i '/^too/d; /^,/d; s/,heavy,123,/,40,,/; s/^No code,,/No code,NC,/' left.csv; millrace import skus --file left.csv --errors none.csv; ls none.csv");
    says(&office, 2, "{\"rows\":2,\"entries\":2,\"made\":2,\"there\":0,\"rows_left_out\":0,\"dry_run\":false}");
    sh(&office, "millrace export skus");
    says(&office, 0, "code,version,name,gtin,weight_g,");
    says(&office, 0, "\nLAMP,2,Lamp two,,1,");
    says(&office, 0, "\nEQ,1,'=1+1,,,");
    says(&office, 0, "\nBULB,1,\"Bulb, 2\",,40,");
    says(&office, 0, "\nNC,1,No code,,,");
    sh(&office,
       "printf '{\"code\":\"J\",\"name\":\"j\",\"error\":\"old\"}\\n\\nno json\\n[1]\\n{\"code\":\"K\"}\\n{\"code\":\"L\",\"name\":\"l\",\"name\":\"l\"}\\n' > a.jsonl;"
       "printf '{\"code\":\"M\",\"name\":%%s%%s}\\n' \"$(printf '[%%.0s' $(seq 30))\" \"$(printf ']%%.0s' $(seq 30))\" >> a.jsonl; millrace import skus --file a.jsonl --errors left.jsonl");
    says(&office, 1, "{\"rows\":6,\"entries\":3,\"made\":1,\"there\":0,\"rows_left_out\":5,\"dry_run\":false}");
    sh(&office, "sed 's/: line.*\"}/\"}/' left.jsonl | cut -c1-60");
    says(&office, 0, "{\"line\":\"no json\",\"error\":\"column 1: ");
    says(&office, 0, "{\"line\":\"[1]\",\"error\":\"an object is due\"}\n");
    says(&office, 0, "{\"code\":\"K\",\"error\":\"/name: \\\"name\\\" is missing\"}\n");
    says(&office, 0, "{\"code\":\"M\",\"name\":[[[[");
    close_office(&office);
}

static void bundles_and_orders_are_rows(const char *postgres)
{
    struct office office;
    open_office(&office, postgres);
    make_places(&office);
    sh(&office,
       "printf 'code,name\\nLAMP,Lamp\\nBULB,Bulb\\n' | millrace import skus --file - &&"
       "printf 'code,name,components.sku,components.quantity\\nKIT,Kit,LAMP,1\\n,,BULB,2\\nBOX,Box,KIT,2\\nKIT,Again,BULB,1\\n' | millrace import bundles --file - --errors left.csv");
    says(&office, 1, "{\"rows\":4,\"entries\":2,\"made\":2,\"there\":0,\"rows_left_out\":1,\"dry_run\":false}");
    says(&office, 1, "its rows do not stand together");
    sh(&office,
       "printf 'node,sku,delta,reason,unit_cost,unit_cost.currency,document\\nBER,LAMP,10,opening,12.50,EUR,o1\\nBER,BULB,-5,loss,,,\\nBER,BULB,50,receipt,1.00,EUR,o2\\n' > s.csv;"
       "millrace import stock --file s.csv");
    says(&office, 1, "{\"rows\":3,\"entries\":3,\"made\":2,\"there\":0,\"rows_left_out\":1,\"dry_run\":false}");
    sh(&office, "millrace import stock --file s.csv; millrace export inventory --format jsonl");
    says(&office, 0, "\"sku\":\"BULB\",\"on_hand\":50,"); /* twice is once */
    sh(&office,
       "cat > o.csv <<'X'\n"
       "channel,channel_order_id,placed_at,currency,customer.name,ship_to.name,ship_to.street,ship_to.postal_code,ship_to.city,ship_to.country,payment.term,payment.status,lines.sku,quantity,unit_price,tags\n"
       "web,W-1,2026-11-24T08:00:00Z,EUR,A,A,\"S 1\nRear\",1,B,DE,on_account,pending,LAMP,2,19.99,gift;new\n"
       ",,,,,,,,,,,,KIT,1,3.00,\n"
       "web,W-2,2026-11-24T08:00:00Z,EUR,A,A,S,1,B,DE,on_account,pending,NOPE,2,19.99,\n"
       "web,W-2,,,,,,,,,,,BULB,x,3.00,\n"
       "X\n"
       "millrace import open-orders --file o.csv --errors left.csv --dry-run; millrace export orders | wc -l; millrace import open-orders --file o.csv --errors left.csv; cut -d, -f2,13-15,17- left.csv");
    says(&office, 0, "{\"rows\":4,\"entries\":2,\"made\":1,\"there\":0,\"rows_left_out\":2,\"dry_run\":true}\n1\n");
    says(&office, 0, "W-2,NOPE,2,19.99,lines.sku: there is no SKU NOPE\nW-2,BULB,x,3.00,lines.quantity: a whole number is due\n");
    sh(&office,
       "sed -i 's/,NOPE,/,LAMP,/; s/,x,/,1,/' left.csv; millrace import open-orders --file left.csv; millrace import open-orders --file o.csv;"
       "millrace export orders --query channel=web --format jsonl | grep -o '\"channel_order_id\":\"[^\"]*\"\\|\"street\":\"[^\"]*\"\\|\"tags\":\\[[^]]*\\]\\|\"total\":{[^}]*}'");
    says(
        &office, 0,
        "\"channel_order_id\":\"W-1\"\n\"street\":\"S 1\\nRear\"\n\"tags\":[\"gift\",\"new\"]\n\"total\":{\"amount\":\"42.98\",\"currency\":\"EUR\"}\n"
        "\"channel_order_id\":\"W-2\"\n\"street\":\"S\"\n\"total\":{\"amount\":\"42.98\",\"currency\":\"EUR\"}\n");
    close_office(&office);
}

/* What is exported makes the same company somewhere else: its exports are equal to the byte. */
static void a_company_moves(const char *postgres)
{
    static struct office from, into;
    static const char *const lists[] = { "units", "nodes", "skus", "bundles", "channels" };
    char folder[96];
    open_office(&from, postgres);
    open_office(&into, NULL);
    make_places(&from);
    sh(&from, "{ echo code,name,weight_g; seq 1 2500 | sed 's/.*/S&,\"Name; & of \"\"many\"\"\",&/'; } | millrace import skus --file - &&"
              "printf 'code,name,sku,quantity\\nKIT,Kit,S1,1\\n,,S2,2\\nBOX,Box,KIT,2\\n,,S3,1\\n' | millrace import bundles --file - &&"
              "printf 'channel_sku,sku,buffer,cap\\n-w 1,S1,2,\\n@w2,KIT,,7\\n' | millrace import listings --channel web --file -");
    says(&from, 0, "{\"rows\":2,\"entries\":2,\"made\":2,\"there\":0,\"rows_left_out\":0,\"dry_run\":false}");
    snprintf(folder, sizeof folder, "%s", into.site.folder);
    for (int gz = 0; gz < 2; gz++) /* the second time nothing is new */
        for (size_t i = 0; i < COUNT(lists); i++) {
            const char *ending = i % 2 == 0 ? "csv" : "jsonl";
            sh(&from, "millrace export %s --out '%s/%s.%s'", lists[i], folder, lists[i], ending);
            says(&from, 0, "");
            sh(&into, "%s millrace import %s --file %s.%s%s", gz ? "gzip -f *.csv *.jsonl 2>/dev/null;" : "", lists[i], lists[i], ending,
               gz ? ".gz" : "");
            says(&into, 0, gz ? "\"made\":0," : "\"there\":0,");
        }
    sh(&from, "millrace export channels/web/listings --out '%s/listings.csv' && LC_ALL=C sort '%s/listings.csv'", folder, folder);
    says_only(&from, "'-w 1,1,S1,2,,1000000\n'@w2,1,KIT,0,7,1000000\nchannel_sku,version,sku,buffer,cap,share_ppm\n");
    sh(&into, "millrace import listings --channel web --file listings.csv");
    says(&into, 0, "{\"rows\":2,\"entries\":2,\"made\":2,");
    for (size_t i = 0; i < COUNT(lists); i++) {
        sh(&from, "millrace export %s --out '%s/from'", lists[i], folder);
        sh(&into, "millrace export %s --out into && cmp from into", lists[i]);
        says_only(&into, "");
    }
    close_office(&from);
    close_office(&into);
}

/* The server dies while it is sent a file: the same file again makes it whole, and nothing is there twice. */
static void the_server_dies(const char *postgres)
{
    struct office office;
    open_office(&office, postgres);
    make_places(&office);
    sh(&office,
       "{ echo code,name; seq 1 20 | sed 's/.*/S&,Name/'; } | millrace import skus --file -; { echo node,sku,delta,reason; seq 1 6000 | awk '{print \"BER,S\" $1 %% 20 + 1 \",\" $1 \",found\"}'; } > s.csv");
    for (int i = 0; i < 3; i++) {
        sh(&office, "millrace import stock --file s.csv > said.txt 2>&1 & echo $! > importer; sleep 0.%d", 1 + 2 * i);
        server_kill(&office.server);
        (void)server_start(&office.server, &office.site);
        sh(&office, "while kill -0 $(cat importer) 2> /dev/null; do sleep 0.05; done; cat said.txt");
    }
    sh(&office, "millrace import stock --file s.csv");
    says(&office, 0, "\"rows\":6000,\"entries\":6000,\"made\":6000,\"there\":0,\"rows_left_out\":0,");
    sh(&office, "millrace export inventory --query node=BER --format jsonl | grep -o '\"on_hand\":[0-9]*' | awk -F: '{sum += $2} END {print sum}'");
    says_only(&office, "18003000\n");
    close_office(&office);
}

static void what_cannot_be_done_is_said(void **state)
{
    static const struct {
        const char *words, *says;
    } cases[] = {
        { "import skus", "--file FILE is missing" },
        { "import skus --file none.csv", "none.csv: No such file or directory" },
        { "import skus --file empty.csv", "is empty: its first row names the columns" },
        { "import skus --file head.csv", "the column \"nme\" is none of: code, name, gtin" },
        { "import skus --file head.csv --format xml", "--format is csv or jsonl" },
        { "import open-orders --file city.csv", "the column \"city\" may be any of: ship_to.city, bill_to.city" },
        { "import skus --file twice.csv", "the columns \"code\" and \"code\" are the same" },
        { "import listings --file twice.csv", "--channel CODE is missing" },
        { "import skus --file good.csv --channel web", "--channel is for listings" },
        { "import skus --file good.csv --key wrong", "401" },
        { "import skus --file good.csv --url http://127.0.0.1:1", "does not answer" },
        { "import skus --file good.csv --errors no/where.csv", "no/where.csv: No such file or directory" },
        { "import skus --file cut.csv.gz", "cut.csv.gz cannot be read to its end" },
        { "export none", "there is no list /v1/none" },
        { "export", "which list?" },
        { "export skus --query x=1", "400 malformed_query: unknown parameter \"x\"" },
        { "export skus --out no/where.csv", "no/where.csv" },
        { "export orders/ord_1", "there is no list" },
    };
    struct office office;
    (void)state;
    open_office(&office, NULL);
    sh(&office,
       "touch empty.csv; printf 'code,nme\\n' > head.csv; printf 'channel,city\\n' > city.csv; printf 'code,code\\n' > twice.csv; printf 'code,name\\nA,a\\n' > good.csv;"
       "{ echo code,name; seq 1 90000 | sed 's/.*/S&,n/'; } | gzip | head -c 3000 > cut.csv.gz");
    for (size_t i = 0; i < COUNT(cases); i++) {
        sh(&office, "millrace %s", cases[i].words);
        says(&office, 2, cases[i].says);
    }
    close_office(&office);
}

static void on_both(void (*play)(const char *postgres))
{
    play(NULL);
    if (site_postgres() != NULL)
        play(site_postgres());
}
static void mended(void **state)
{
    on_both(rows_that_are_mended);
    (void)state;
}
static void rows(void **state)
{
    on_both(bundles_and_orders_are_rows);
    (void)state;
}
static void moved(void **state)
{
    on_both(a_company_moves);
    (void)state;
}
static void died(void **state)
{
    on_both(the_server_dies);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_cannot_be_done_is_said),
        cmocka_unit_test(mended),
        cmocka_unit_test(rows),
        cmocka_unit_test(moved),
        cmocka_unit_test(died),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
