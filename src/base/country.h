/* src/base/country.h: the countries of ISO 3166-1, as of 2024 (249 codes). */
#ifndef MILLRACE_BASE_COUNTRY_H
#define MILLRACE_BASE_COUNTRY_H

#include <stdbool.h>
#include <stddef.h>

/* Two capital letters that the standard has given to a country; and XK, which it leaves to users and carriers and shops all
 * use for Kosovo. Not what is reserved only (UK, EU), nor what stands for "unknown" (ZZ). */
bool country_is_assigned(const char *text, size_t bytes);

#endif
