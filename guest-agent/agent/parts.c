/* SPDX-License-Identifier: Apache-2.0 */
#include "parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void
clear (DnParts *parts)
{
  free (parts->config);
  free (parts->seccomp);
  dn_disk_layers_clear (&parts->layers);
  *parts = (DnParts){ 0 };
}

void
dn_parts_forget (DnPartsTable *table, uint32_t request)
{
  DnParts *parts = dn_parts_find (table, request);

  if (parts != NULL)
    clear (parts);
}

void
dn_parts_forget_all (DnPartsTable *table)
{
  for (int i = 0; i < DN_PARTS_MAX; i++)
    clear (&table->all[i]);
}

DnParts *
dn_parts_find (DnPartsTable *table, uint32_t request)
{
  for (int i = 0; i < DN_PARTS_MAX; i++)
    if (table->all[i].is_used && table->all[i].request == request)
      return &table->all[i];
  return NULL;
}

static DnParts *
find_or_begin (DnPartsTable *table, uint32_t request)
{
  DnParts *parts = dn_parts_find (table, request);

  for (int i = 0; i < DN_PARTS_MAX && parts == NULL; i++)
    if (!table->all[i].is_used)
      {
        parts = &table->all[i];
        *parts = (DnParts){ .is_used = true, .request = request };
      }
  return parts;
}

static int
append (uint8_t **bytes, size_t *used, const uint8_t *more, size_t size)
{
  uint8_t *grown;

  if (*used + size > DN_PART_TOTAL_BYTES)
    return -EPROTO;
  grown = realloc (*bytes, *used + size + 1);
  if (grown == NULL)
    return -EPROTO;
  memcpy (grown + *used, more, size);
  *bytes = grown;
  *used += size;
  return 0;
}

int
dn_parts_add (DnPartsTable *table, const DnMsgPart *part)
{
  DnParts *parts = find_or_begin (table, part->request);

  if (parts == NULL)
    return -EPROTO;
  switch (part->kind)
    {
    case DN_PART_CONFIG:
      return append (&parts->config, &parts->config_bytes, part->bytes, part->bytes_bytes);
    case DN_PART_SECCOMP:
      return append (&parts->seccomp, &parts->seccomp_bytes, part->bytes, part->bytes_bytes);
    default:
      return -EPROTO;
    }
}

int
dn_parts_add_layer (DnPartsTable *table, const DnMsgDiskLayer *layer)
{
  DnParts *parts = find_or_begin (table, layer->request);

  return parts == NULL ? -EPROTO : dn_disk_layers_add (&parts->layers, layer);
}
