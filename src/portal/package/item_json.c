/* An item's description in a package. Empty fields are left out, so that the same item always gives the same bytes. */
#include "portal/package/item_json.h"
#include "portal/package/names.h"

static const char *const item_json_kinds[] = {[PART_DATA] = "data", [PART_INFO] = "info", [PART_RESOURCE] = "resource"};

static void item_json_print_fields(struct json_out *o, const struct item *it)
{
    for (int i = 0; i < ITEM_FIELD_COUNT; i++) {
        const struct item_field_row *row = &item_fields[i];
        if (!row->packed || str_empty(it->field[i]))
            continue;
        if (row->kind == ITEM_KIND_TEXT)
            json_member_str(o, row->name, it->field[i]);
        else
            json_member_raw(o, row->name, it->field[i]);
    }
}

static void item_json_print_part(struct json_out *o, const struct item_part *part, str file)
{
    char hex[HASH_HEX + 1];
    hash_hex(part->hash, hex);
    json_begin_object(o);
    json_member_c(o, "kind", item_json_kinds[part->kind]);
    json_member_str(o, "name", part->name.p ? part->name : STR(""));
    json_member_str(o, "file", file);
    json_member_int(o, "size", part->size);
    json_member_c(o, "sha256", hex);
    if (!str_empty(part->content_type))
        json_member_str(o, "contentType", part->content_type);
    if (part->kind == PART_RESOURCE) {
        json_member_c(o, "access", part->private_access ? "private" : "inherit");
        json_member_int(o, "created", part->created);
        json_member_int(o, "modified", part->modified);
    }
    json_end_object(o);
}

void item_json_print(struct json_out *o, const struct item_json *in)
{
    const struct item *it = &in->item->item;
    json_begin_object(o);
    json_member_str(o, "id", id_str(&it->id));
    json_member_str(o, "owner", it->owner.p ? it->owner : STR(""));
    json_member_int(o, "created", it->created);
    json_member_int(o, "modified", it->modified);
    json_member_c(o, "access", item_access_name(it->access));
    json_member_bool(o, "protected", it->protected);
    json_member_int(o, "size", it->size);
    item_json_print_fields(o, it);
    json_name(o, "parts");
    json_begin_array(o);
    for (size_t i = 0; i < in->part_count; i++)
        item_json_print_part(o, &in->parts[i], in->files[i]);
    json_end_array(o);
    if (in->item->hosted) {
        json_name(o, "service");
        json_begin_object(o);
        json_member_str(o, "name", in->item->service_name);
        json_end_object(o);
    }
    json_end_object(o);
}

static bool item_json_kind(str text, enum part_kind *out)
{
    for (size_t i = 0; i < COUNT_OF(item_json_kinds); i++)
        if (str_eq(text, str_c(item_json_kinds[i]))) {
            *out = (enum part_kind)i;
            return true;
        }
    return false;
}

static int item_json_parse_part(struct ctx *ctx, struct json v, const id *item, struct item_part *part)
{
    struct arena *a = ctx->arena;
    *part = (struct item_part){.name = json_string_or(json_get_c(v, "name"), a, STR("")),
                               .content_type = json_string_or(json_get_c(v, "contentType"), a, STR("")),
                               .private_access = json_string_eq(json_get_c(v, "access"), STR("private"))};
    if (!item_json_kind(json_string_or(json_get_c(v, "kind"), a, STR("")), &part->kind) ||
        !hash_parse(json_string_or(json_get_c(v, "sha256"), a, STR("")), &part->hash) ||
        !json_int(json_get_c(v, "size"), &part->size) || part->size < 0)
        return err_set(ctx, &ERR_CORRUPT, "items/%s/item.json has a part that is no part.", item->text);
    json_int(json_get_c(v, "created"), &part->created);
    json_int(json_get_c(v, "modified"), &part->modified);
    if (!names_part_valid(part->kind, part->name))
        return err_set(ctx, &ERR_INVALID,
                       "Item %s has a part with the name \"%.*s\", which leads out of the item or is no valid name.", item->text,
                       (int)(part->name.n < 200 ? part->name.n : 200), part->name.p);
    return RC_OK;
}

int item_json_parse(struct ctx *ctx, const id *item, str text, struct portal_item *out)
{
    struct json v, part;
    size_t data_count = 0;
    *out = (struct portal_item){.service_name = STR(""), .definition = STR("")};
    TRY(json_parse(ctx, text, &v));
    TRY(item_parse(ctx, v, &out->item));
    if (!id_eq(out->item.id, *item))
        return err_set(ctx, &ERR_CORRUPT, "items/%s/item.json belongs to another item.", item->text);
    struct json parts = json_get_c(v, "parts");
    out->parts = arena_array(ctx->arena, struct item_part, json_count(parts));
    for (struct json_iter it = json_each(parts); json_next(&it, NULL, &part); out->part_count++) {
        TRY(item_json_parse_part(ctx, part, item, &out->parts[out->part_count]));
        data_count += out->parts[out->part_count].kind == PART_DATA;
    }
    if (data_count > 1)
        return err_set(ctx, &ERR_CORRUPT, "items/%s/item.json names more than one data file.", item->text);
    struct json service = json_get_c(v, "service");
    out->hosted = json_is(service, JSON_OBJECT);
    out->service_name = json_string_or(json_get_c(service, "name"), ctx->arena, STR(""));
    return RC_OK;
}
