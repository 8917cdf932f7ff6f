/* Publishing a loaded data set as a hosted service: the transaction that makes it visible. */
#include "service/hosted_private.h"

struct publish_call {
    const struct hosted_publish *in;
    str definition; /* completed */
    const struct service *def;
    struct hosted_created *out;
};

static struct relationship source_relation(const struct hosted_publish *in, id service_item)
{
    return (struct relationship){.origin = service_item, .destination = in->source_item, .type = STR("Service2Data")};
}

static void fill(struct ctx *ctx, struct publish_call *call, const struct hosted *h)
{
    *call->out = (struct hosted_created){
        .item = h->item,
        .name = arena_str(ctx->arena, h->name),
        .url = arena_printf(ctx->arena, "@server/rest/services/Hosted/%.*s/FeatureServer", STR_FMT(h->name))};
}

/* The service of that name, when it is the owner's and was published from this source. */
static int find_published(struct ctx *ctx, struct sql_tx *tx, const struct hosted_publish *in, struct hosted *out)
{
    struct relationship *list;
    size_t count;
    struct item it;
    TRY(meta_hosted_by_name(ctx, tx, hosted_name_make(ctx, in->name), out));
    TRY(meta_item_get(ctx, tx, &out->item, &it));
    TRY(meta_relationships(ctx, tx, &out->item, true, &list, &count));
    for (size_t i = 0; i < count && str_ieq(it.owner, in->owner); i++)
        if (id_eq(list[i].destination, in->source_item) && str_eq(list[i].type, STR("Service2Data")))
            return RC_OK;
    return err_set(ctx, &ERR_SERVICE_NAME, "Service '%.*s' was not published from this item, so it is not overwritten.",
                   STR_FMT(in->name));
}

static int replace_service(struct ctx *ctx, struct sql_tx *tx, const struct publish_call *call, struct hosted *h)
{
    id old = h->store;
    int64_t now = ctx_now(ctx);
    h->store = call->in->store;
    h->definition = call->definition;
    h->modified = now > h->modified ? now : h->modified + 1;
    TRY(meta_hosted_update(ctx, tx, h));
    struct item it;
    TRY(meta_item_get(ctx, tx, &h->item, &it));
    it.modified = now;
    TRY(meta_item_update(ctx, tx, &it));
    return id_eq(old, h->store) ? RC_OK : meta_store_drop_later(ctx, tx, &old);
}

static int insert_service(struct ctx *ctx, struct sql_tx *tx, const struct publish_call *call, struct hosted *h)
{
    const struct hosted_publish *in = call->in;
    *h = (struct hosted){.item = in->item, .store = in->store, .definition = call->definition, .modified = ctx_now(ctx)};
    TRY(hosted_name_free(ctx, tx, in->name, &h->name));
    if (in->name_given && !str_eq(h->name, in->name))
        return err_set(ctx, &ERR_SERVICE_NAME, "The service name '%.*s' was taken by another service while the file was read.",
                       STR_FMT(in->name));
    str fields[ITEM_FIELD_COUNT] = {[ITEM_TITLE] = in->title};
    struct item it = {.id = in->item, .owner = in->owner, .folder = in->folder}, source;
    int rc = meta_item_get(ctx, tx, &in->source_item, &source);
    if (rc == RC_NOT_FOUND)
        return err_set_rc(ctx, rc, &ERR_ITEM_MISSING, "There is no item '%s'.", in->source_item.text);
    TRY(rc);
    fields[ITEM_TAGS] = source.field[ITEM_TAGS];
    fields[ITEM_SNIPPET] = source.field[ITEM_SNIPPET];
    fields[ITEM_DESCRIPTION] = source.field[ITEM_DESCRIPTION];
    hosted_item_make(ctx, call->def, h->name, fields, &it);
    TRY(meta_item_insert(ctx, tx, &it));
    TRY(meta_hosted_insert(ctx, tx, h));
    struct relationship r = source_relation(in, h->item);
    return meta_relationship_put(ctx, tx, &r);
}

static int publish_rows(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct publish_call *call = arg;
    const struct hosted_publish *in = call->in;
    struct hosted h;
    int rc = meta_hosted_get(ctx, tx, &in->item, &h);
    if (rc == RC_OK && id_eq(h.store, in->store)) { /* a repeated step */
        fill(ctx, call, &h);
        return RC_OK;
    }
    if (rc == RC_NOT_FOUND && in->overwrite)
        rc = find_published(ctx, tx, in, &h);
    if (rc == RC_NOT_FOUND)
        rc = insert_service(ctx, tx, call, &h);
    else if (rc == RC_OK && !id_eq(h.store, in->store))
        rc = replace_service(ctx, tx, call, &h);
    TRY(rc);
    fill(ctx, call, &h);
    return RC_OK;
}

int hosted_publish(struct ctx *ctx, struct site *s, const struct hosted_publish *in, struct hosted_created *out)
{
    struct service def;
    struct publish_call call = {.in = in, .def = &def, .out = out};
    struct hosted_draft d;
    TRY(hosted_draft_complete(ctx, in->name, in->definition, s->settings.max_record_count, &d));
    TRY(hosted_draft_finish(ctx, &d, NULL, 0, &call.definition));
    TRY(service_parse(ctx, call.definition, &def));
    return sql_write(ctx, s->sql, publish_rows, &call);
}
