/* countFields and countSize of a search: see counts.h. */
#include "web/sharing/counts.h"

#include "model/errors.h"
#include "web/sharing/sharing.h"

enum { COUNT_SIZE_MAX = 200 };

static void field_print(struct json_out *o, const struct meta_value_counts *c, int64_t most)
{
    json_begin_object(o);
    json_member_c(o, "fieldName", meta_count_field_name(c->field));
    json_name(o, "fieldValues");
    json_begin_array(o);
    for (size_t i = 0; i < c->count && (int64_t)i < most; i++) {
        json_begin_object(o);
        json_member_str(o, "value", c->list[i].value);
        json_member_int(o, "count", c->list[i].count);
        json_end_object(o);
    }
    json_end_array(o);
    json_end_object(o);
}

void counts_print(struct call *call, const struct meta_value_counts *counts, size_t count)
{
    int64_t most = call_int(call, "countSize");
    most = most < 1 ? 1 : most > COUNT_SIZE_MAX ? COUNT_SIZE_MAX : most;
    json_name(&call->out, "aggregations");
    json_begin_object(&call->out);
    json_name(&call->out, "counts");
    json_begin_array(&call->out);
    for (size_t i = 0; i < count; i++)
        field_print(&call->out, &counts[i], most);
    json_end_array(&call->out);
    json_end_object(&call->out);
}

int counts_asked(struct ctx *ctx, struct call *call, struct meta_value_counts *counts, size_t *count_out)
{
    str rest = sharing_text(call, "countFields"), name;
    size_t count = 0;
    while (str_split(&rest, ',', &name)) {
        if (str_empty(str_trim(name)))
            continue;
        if (count == COUNTS_FIELDS_MAX || !meta_count_field_parse(str_trim(name), &counts[count].field))
            return err_set(ctx, &ERR_PARAMETER, "'countFields' is up to %d of tags, type, access, contentstatus and categories.",
                           COUNTS_FIELDS_MAX);
        count++;
    }
    *count_out = count;
    return RC_OK;
}
