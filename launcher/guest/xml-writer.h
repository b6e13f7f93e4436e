/* SPDX-License-Identifier: Apache-2.0 */
/* Writes XML: the only way in which Danchi makes any.
 *
 * Elements nest by open and close, every value is escaped, and what XML cannot carry at all
 * (control characters, bytes that are not UTF-8) makes the whole document fail: a value that could
 * break out of its place ends the writing, it is never repaired.  Callers check their values
 * against a pattern first; this is the second net, libvirt's schema the third.
 *
 * Element and attribute names are string literals of the caller's.  Errors stick: write
 * everything, then ask once in dn_xml_finish().
 *
 * Pure: no I/O.
 * Source: XML 1.0, sections 2.2 (characters) and 2.4 (markup).
 */
#pragma once

#include <glib.h>

#define DN_XML_DEPTH_MAX 16

typedef struct
{
  GString *text;                      /* owned */
  const char *open[DN_XML_DEPTH_MAX]; /* literals */
  gboolean has_children[DN_XML_DEPTH_MAX];
  guint depth;
  gboolean is_tag_open; /* "<name a='b'" was written, its ">" was not */
  char *problem;        /* owned; the first thing that went wrong */
} DnXml;

void dn_xml_init (DnXml *xml);

/* Begins an element inside the innermost open one. */
void dn_xml_open (DnXml *xml, const char *name);

/* An attribute of the element just opened, before any content of it. */
void dn_xml_attribute (DnXml *xml, const char *name, const char *value);
void dn_xml_attribute_number (DnXml *xml, const char *name, guint64 value);
/* As 0x..: how libvirt writes PCI addresses. */
void dn_xml_attribute_hex (DnXml *xml, const char *name, guint value);

void dn_xml_text (DnXml *xml, const char *value);
void dn_xml_close (DnXml *xml);

/* <name attribute='value' .../>: pairs of attribute and value, then NULL. */
void dn_xml_empty (DnXml *xml, const char *name, ...) G_GNUC_NULL_TERMINATED;

/* <name>value</name> */
void dn_xml_element (DnXml *xml, const char *name, const char *value);

/**
 * dn_xml_finish:
 *
 * Ends the writer in any case; all elements must be closed.
 *
 * Returns: (transfer full): the document, or NULL with DN_ERROR_FAILED that names the element
 */
char *dn_xml_finish (DnXml *xml, GError **error);
