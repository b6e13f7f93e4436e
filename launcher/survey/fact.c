/* SPDX-License-Identifier: Apache-2.0 */
#include "fact.h"

#include "../common/names.h"

void
dn_fact_set_text (JsonObject *object, const char *name, const char *value)
{
  g_autofree char *clean = value != NULL ? dn_text_clean (value, DN_FACT_MAX_BYTES) : NULL;

  if (clean == NULL)
    json_object_set_null_member (object, name);
  else
    json_object_set_string_member (object, name, clean);
}

void
dn_fact_set_number (JsonObject *object, const char *name, gint64 value)
{
  if (value < 0)
    json_object_set_null_member (object, name);
  else
    json_object_set_int_member (object, name, value);
}
