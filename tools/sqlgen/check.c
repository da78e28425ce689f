/* tools/sqlgen/check.c: the second judge: a PostgreSQL that is migrated to the latest. */
#include "sqlgen.h"

int check_postgres(struct model *model, const char *url, const char *const *files, size_t count)
{
    refuse(url, 0, "not built yet");
}
