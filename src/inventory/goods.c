/* src/inventory/goods.c: what commands on stock name by codes: a node of the unit, a SKU that holds stock, a class. */
#include "inventory/inventory.h"

static const struct node_row *find_node(struct ws *ws, struct faults *faults, const char *code)
{
    const struct node_row *node = code == NULL ? NULL : ws_find(ws, &node_by_code, WS_PREFIX(db_int(ws_unit(ws)), db_text(code)));
    if (node != NULL && node->owner == ws_unit(ws))
        return node;
    if (code != NULL)
        fault_add(faults, FAULT_NODE_UNKNOWN, "/node", "there is no node %s", code);
    return NULL;
}

const struct sku_row *goods_sku(struct ws *ws, struct faults *faults, const char *code, const char *pointer)
{
    const struct sku_row *sku = code == NULL ? NULL : ws_find(ws, &sku_by_code, WS_PREFIX(db_int(ws_unit(ws)), db_text(code)));
    if (sku != NULL && !sku->bundle)
        return sku;
    if (sku != NULL)
        fault_add(faults, FAULT_HOLDS_NO_STOCK, pointer, "%s is a bundle: name its components", code);
    else if (code != NULL)
        fault_add(faults, FAULT_SKU_UNKNOWN, pointer, "there is no SKU %s", code);
    return NULL;
}

int64_t class_named(struct ws *ws, struct faults *faults, const char *code, const char *pointer)
{
    if (code == NULL)
        return 0;
    const struct goods_class_row *row = ws_find(ws, &goods_class_by_code, WS_PREFIX(db_int(ws_unit(ws)), db_text(code)));
    if (row == NULL)
        fault_add(faults, FAULT_CLASS_UNKNOWN, pointer, "there is no class %s", code);
    return row == NULL ? -1 : row->id;
}

const char *class_code(struct ws *ws, int64_t class)
{
    return class == 0 ? NULL : ((const struct goods_class_row *)ws_get(ws, &goods_class_table, WS_KEY(ws_unit(ws), class)))->code;
}

bool goods_find(struct ws *ws, struct faults *faults, const struct goods_named *named, struct goods *out)
{
    out->node = find_node(ws, faults, named->node);
    out->sku = goods_sku(ws, faults, named->sku, "/sku");
    out->class = class_named(ws, faults, named->class, "/class");
    return out->node != NULL && out->sku != NULL && out->class >= 0;
}

void goods_want(struct ws *ws, const struct goods_named *named)
{
    const int64_t unit = ws_unit(ws);
    ws_want_path(ws, &node_by_code, WS_PREFIX(db_int(unit), db_text(named->node)), 0);
    ws_want_path(ws, &sku_by_code, WS_PREFIX(db_int(unit), db_text(named->sku)), 0);
    if (named->class != NULL)
        ws_want_path(ws, &goods_class_by_code, WS_PREFIX(db_int(unit), db_text(named->class)), 0);
    const struct sku_row *sku = ws_known(ws, &sku_by_code, WS_PREFIX(db_int(unit), db_text(named->sku)));
    if (sku != NULL) /* the second round knows it */
        ws_want_path(ws, &position_of_sku, WS_PREFIX(db_int(unit), db_int(sku->id)), 0);
}
