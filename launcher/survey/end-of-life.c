/* SPDX-License-Identifier: Apache-2.0 */
#include "end-of-life.h"

#include <string.h>

typedef struct
{
  const char *id;
  const char *version;
  const char *date;
} Row;

static const Row rows[] = {
  { "debian", "9", "2022-06-30" },
  { "debian", "10", "2024-06-30" },
  { "debian", "11", "2026-08-31" },
  { "debian", "12", "2028-06-30" },
  { "debian", "13", "2030-06-30" },
  { "ubuntu", "18.04", "2023-05-31" },
  { "ubuntu", "20.04", "2025-05-31" },
  { "ubuntu", "22.04", "2027-06-01" },
  { "ubuntu", "23.10", "2024-07-11" },
  { "ubuntu", "24.04", "2029-05-31" },
  { "ubuntu", "24.10", "2025-07-10" },
  { "ubuntu", "25.04", "2026-01-15" },
  { "ubuntu", "25.10", "2026-07-09" },
  { "ubuntu", "26.04", "2031-05-29" },
  { "fedora", "38", "2024-05-21" },
  { "fedora", "39", "2024-11-26" },
  { "fedora", "40", "2025-05-13" },
  { "fedora", "41", "2025-12-15" },
  { "fedora", "42", "2026-05-27" },
  { "fedora", "43", "2026-12-09" },
  { "fedora", "44", "2027-06-02" },
  { "rhel", "7", "2024-06-30" },
  { "rhel", "8", "2029-05-31" },
  { "rhel", "9", "2032-05-31" },
  { "rhel", "10", "2035-05-31" },
  /* Stream; of CentOS Linux, 8 ended in 2021 already and 7 is the last. */
  { "centos", "7", "2024-06-30" },
  { "centos", "8", "2024-05-31" },
  { "centos", "9", "2027-05-31" },
  { "centos", "10", "2030-05-31" },
  { "almalinux", "8", "2029-05-31" },
  { "almalinux", "9", "2032-05-31" },
  { "almalinux", "10", "2035-05-31" },
  { "rocky", "8", "2029-05-31" },
  { "rocky", "9", "2032-05-31" },
  { "rocky", "10", "2035-05-31" },
  { "sles", "12.5", "2024-10-31" },
  { "sles", "15.4", "2023-12-31" },
  { "sles", "15.5", "2024-12-31" },
  { "sles", "15.6", "2025-12-31" },
  { "sles", "15.7", "2031-07-31" },
  { "sles", "16.0", "2027-11-30" },
  { "opensuse-leap", "15.4", "2023-12-07" },
  { "opensuse-leap", "15.5", "2024-12-31" },
  { "opensuse-leap", "15.6", "2026-04-30" },
  { "opensuse-leap", "16.0", "2027-10-31" },
  { "alpine", "3.16", "2024-05-23" },
  { "alpine", "3.17", "2024-11-22" },
  { "alpine", "3.18", "2025-05-09" },
  { "alpine", "3.19", "2025-11-01" },
  { "alpine", "3.20", "2026-04-01" },
  { "alpine", "3.21", "2026-11-01" },
  { "alpine", "3.22", "2027-05-01" },
  { "alpine", "3.23", "2027-11-01" },
  { "alpine", "3.24", "2028-06-01" },
};

/* Whether @version is @row's or one of its minor versions. */
static gboolean
is_version (const char *version, const char *row)
{
  gsize size = strlen (row);

  return strncmp (version, row, size) == 0 && (version[size] == '\0' || version[size] == '.');
}

const char *
dn_end_of_life_find (const char *id, const char *version_id)
{
  for (gsize i = 0; version_id != NULL && i < G_N_ELEMENTS (rows); i++)
    if (g_str_equal (rows[i].id, id) && is_version (version_id, rows[i].version))
      return rows[i].date;
  return NULL;
}
