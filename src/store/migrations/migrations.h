/* The texts of the numbered migrations, one file each. A released one is never changed: the next number changes what it made. */
#ifndef MAPFERRY_STORE_MIGRATIONS_H
#define MAPFERRY_STORE_MIGRATIONS_H

extern const char migration_0001[];
extern const char migration_0002[];
extern const char migration_0003[];
extern const char migration_0004[];
extern const char migration_0005[];
extern const char migration_0006[];
extern const char migration_0007[];
extern const char migration_0008[];
extern const char migration_0009[];
extern const char migration_0010[];
extern const char migration_0011[];

#endif
