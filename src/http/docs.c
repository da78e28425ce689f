/* src/http/docs.c: docs.html with the error codes put in, and a policy that names its script by hash. */
#include "http/docs.h"
#include "base/fault.h"
#include <sodium.h>
#include <string.h>

static const char page[] =
#include "docs_html.inc"
    ;

static void codes_write(struct buffer *out)
{
    for (int code = FAULT_NONE + 1; code < FAULT_CODE_COUNT; code++) {
        const struct fault_info *info = fault_info((enum fault_code)code);
        buffer_printf(out, "<tr id=\"%s\"><td><code>%s</code></td><td>%d</td><td>%s</td><td>%s</td><td>%s</td></tr>\n", info->code, info->code,
                      info->http, info->title, info->way_out, info->again ? "yes" : "no");
    }
}

static const char *policy_of(struct arena *arena, const char *script, size_t bytes)
{
    unsigned char hash[crypto_hash_sha256_BYTES];
    char text[64];
    crypto_hash_sha256(hash, (const unsigned char *)script, bytes);
    sodium_bin2base64(text, sizeof text, hash, sizeof hash, sodium_base64_VARIANT_ORIGINAL);
    return arena_printf(arena,
                        "default-src 'none'; script-src 'sha256-%s'; style-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'; form-action "
                        "'none'; frame-ancestors 'none'",
                        text);
}

const char *docs_make(struct arena *arena, size_t *bytes, const char **policy)
{
    static const char mark[] = "<!--codes-->", begin[] = "<script>", end[] = "</script>";
    const char *codes = strstr(page, mark), *script = strstr(page, begin) + strlen(begin);
    struct buffer out = { .arena = arena };
    buffer_add(&out, page, (size_t)(codes - page));
    codes_write(&out);
    buffer_text(&out, codes + strlen(mark));
    *policy = policy_of(arena, script, (size_t)(strstr(script, end) - script));
    *bytes = out.size;
    return out.at;
}
