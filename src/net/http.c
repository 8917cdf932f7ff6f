/* Requests and responses without a library: header lists, names, the body of an answer. Used by server, client and handlers. */
#include "net/http.h"
#include "base/file.h"

void http_headers_add(struct arena *a, struct http_headers *h, str name, str value)
{
    char *safe = arena_cstr(a, value);
    for (size_t i = 0; i < value.n; i++)
        if ((unsigned char)safe[i] < ' ' || safe[i] == 0x7f)
            safe[i] = ' ';
    h->items = arena_grow(a, h->items, &h->capacity, h->count + 1, sizeof *h->items);
    h->items[h->count++] = (struct http_header){.name = arena_str(a, name), .value = str_of(safe, value.n)};
}

str http_headers_get(const struct http_headers *h, str name)
{
    for (size_t i = 0; i < h->count; i++)
        if (str_ieq(h->items[i].name, name))
            return h->items[i].value;
    return STR_NONE;
}

const char *http_method_name(enum http_method m)
{
    static const char *const names[] = {
        [HTTP_GET] = "GET",       [HTTP_HEAD] = "HEAD",       [HTTP_POST] = "POST",   [HTTP_PUT] = "PUT",
        [HTTP_DELETE] = "DELETE", [HTTP_OPTIONS] = "OPTIONS", [HTTP_PATCH] = "PATCH", [HTTP_OTHER] = "?"};
    return names[m];
}

const char *http_status_text(int status)
{
    static const struct {
        int status;
        const char *text;
    } table[] = {
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {206, "Partial Content"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {303, "See Other"},
        {304, "Not Modified"},
        {307, "Temporary Redirect"},
        {308, "Permanent Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {411, "Length Required"},
        {412, "Precondition Failed"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {416, "Range Not Satisfiable"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {498, "Invalid Token"},
        {499, "Token Required"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
        {507, "Insufficient Storage"},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++)
        if (table[i].status == status)
            return table[i].text;
    return "";
}

void http_response_header(struct ctx *ctx, struct http_response *r, str name, str value)
{
    http_headers_add(ctx->arena, &r->headers, name, value);
}

void http_response_clear(struct http_response *r)
{
    if (r->body == HTTP_BODY_BUF)
        buf_free(&r->buf);
    else if (r->body == HTTP_BODY_READER)
        reader_close(r->reader);
    else if (r->body == HTTP_BODY_FD)
        file_close(&r->fd);
    r->body = HTTP_BODY_NONE;
}

void http_response_bytes(struct http_response *r, str bytes)
{
    http_response_clear(r);
    r->body = HTTP_BODY_BYTES;
    r->bytes = bytes;
}

void http_response_buf(struct http_response *r, struct buf *b)
{
    http_response_clear(r);
    r->body = HTTP_BODY_BUF;
    r->buf = *b;
    *b = BUF_INIT(b->max);
}

void http_response_reader(struct http_response *r, struct reader *reader, int64_t length)
{
    http_response_clear(r);
    r->body = HTTP_BODY_READER;
    r->reader = reader;
    r->length = length;
}

void http_response_fd(struct http_response *r, int fd, uint64_t offset, uint64_t length)
{
    http_response_clear(r);
    r->body = HTTP_BODY_FD;
    r->fd = fd;
    r->offset = offset;
    r->length = (int64_t)length;
}
