/* Schema 6: the search index anew, for millions of items. What it says is made from the items, groups and users, so nothing is
 * carried over: the row in search_rebuild asks for that at the next opening.
 *
 * search_word: words and whole values, each with a number for ever.
 * search_posting: which subjects have a word, with the fields as bits: the newest ones, one row each.
 * search_block: the same of all others, packed: for a word and the number of a field's bit, each 4,096 subjects of a kind are one
 * row (store/meta_postings.c). kind: 0 items, 1 groups, 2 users.
 * search_packed: subjects of the kind below this place are packed.
 * search_text: what the fields of a subject say, for phrases, for counts, and to find what an update takes away.
 * search_column: numbers of packed items that are compared and sorted by, in columns of blocks (store/meta_columns.c); the row of
 * search_packed with the kind 3 says how far. */
#include "store/migrations/migrations.h"

/* clang-format off */
const char migration_0006[] =
"DELETE FROM search_posting;\n"
"DELETE FROM search_word;\n"
"DROP TABLE search_text;\n"
"CREATE TABLE search_block (\n"
"    word BIGINT NOT NULL,\n"
"    kind BIGINT NOT NULL,\n"
"    field BIGINT NOT NULL,\n"
"    block BIGINT NOT NULL,\n"
"    content BYTEA NOT NULL,\n"
"    PRIMARY KEY (word, kind, field, block)) /* clustered */;\n"
"CREATE TABLE search_packed (\n"
"    kind BIGINT NOT NULL PRIMARY KEY,\n"
"    place BIGINT NOT NULL);\n"
"INSERT INTO search_packed (kind, place) VALUES (0, 0), (1, 0), (2, 0), (3, 0);\n"
"CREATE TABLE search_text (\n"
"    subject INTEGER PRIMARY KEY,\n"
"    content TEXT NOT NULL);\n"
"CREATE TABLE search_rebuild (\n"
"    kind BIGINT NOT NULL PRIMARY KEY,\n"
"    subject BIGINT NOT NULL);\n"
"INSERT INTO search_rebuild (kind, subject) VALUES (0, 0), (1, 0), (2, 0);\n"
"CREATE TABLE search_column (\n"
"    number INTEGER PRIMARY KEY,\n"
"    content BYTEA NOT NULL);\n"
"CREATE INDEX item_type ON item (type, title_fold, id);\n"
"CREATE INDEX item_owner_title ON item (owner, title_fold, id);\n";
