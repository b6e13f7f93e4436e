/* SPDX-License-Identifier: Apache-2.0 */
/* Links: protocol/*.c launcher/base/control.c launcher/base/session.c */
/* Every message of the three wires: packed, unpacked, and its bytes against a golden file. */
#include <errno.h>

#include "golden.h"

#include "../../launcher/base/control.h"
#include "../../launcher/base/session.h"

#define BYTES (DN_FRAME_PAYLOAD_MAX_BYTES + 1)

static const char *
sender_words (DnSender sender)
{
  return sender == DN_SENDER_HOST ? "host" : sender == DN_SENDER_GUEST ? "guest" : "both";
}

static void
describe (GString *text, const DnWireRule *rule, const guint8 *bytes, int size)
{
  g_string_append_printf (text, "%u %s %s %u\n ", rule->type, rule->name,
                          sender_words (rule->sender), rule->limit_bytes);
  for (int i = 0; i < size; i++)
    g_string_append_printf (text, "%s%02x", i > 0 && i % 32 == 0 ? "\n  " : " ", bytes[i]);
  g_string_append_c (text, '\n');
}

/* A value for each field that shows its width, its byte order and its place. */
#define DN_U8(f) message.f = 0x11;
#define DN_U16(f) message.f = 0x2122;
#define DN_U32(f) message.f = 0x31323334;
#define DN_I32(f) message.f = -2;
#define DN_U64(f) message.f = 0x4142434445464748;
#define DN_TEXT(f, max) g_strlcpy (message.f, #f, sizeof message.f);
#define DN_BYTES(f, n) memset (message.f, 0x5a, n);
#define DN_TAIL(f) message.f = (const guint8 *) "tail", message.f##_bytes = 4, has_tail = TRUE;
#define DN_MSG(NAME, Noun, noun, id, sender, limit, fields)                                        \
  static void check_##noun (GString *text, const DnWireRule *rule)                                 \
  {                                                                                                \
    g_autofree guint8 *bytes = g_malloc0 (BYTES), *again = g_malloc0 (BYTES);                      \
    DnMsg##Noun message, back;                                                                     \
    gboolean has_tail = FALSE;                                                                     \
    int size;                                                                                      \
    memset (&message, 0, sizeof message); /* some messages have no fields */                       \
    fields size = dn_msg_##noun##_pack (&message, bytes, BYTES);                                   \
    g_assert_cmpint (size, >=, 0);                                                                 \
    g_assert_cmpint (size, <=, (limit));                                                           \
    g_assert_cmpint (dn_msg_##noun##_unpack (bytes, (gsize) size, &back), ==, 0);                  \
    g_assert_cmpint (dn_msg_##noun##_pack (&back, again, BYTES), ==, size);                        \
    g_assert_cmpmem (again, size, bytes, size);                                                    \
    if (size > 0)                                                                                  \
      g_assert_cmpint (dn_msg_##noun##_pack (&message, again, (gsize) size - 1), ==, -EMSGSIZE);   \
    for (int cut = 0; cut < size && !has_tail; cut++)                                              \
      g_assert_cmpint (dn_msg_##noun##_unpack (bytes, (gsize) cut, &back), ==, -EPROTO);           \
    if (!has_tail)                                                                                 \
      g_assert_cmpint (dn_msg_##noun##_unpack (bytes, (gsize) size + 1, &back), ==, -EPROTO);      \
    describe (text, rule, bytes, size);                                                            \
  }
#include "../../launcher/base/control.def"
#include "../../launcher/base/session.def"
#include "../../protocol/protocol.def"
#undef DN_MSG

static void
test_every_message_keeps_its_bytes (void)
{
  g_autoptr (GString) text = g_string_new (
      "# Every message: id, name, sender, limit, and the bytes of an example whose fields show\n"
      "# their width and order.  A change here is a change of the wire.\n");

#define DN_MSG(NAME, Noun, noun, id, sender, limit, fields)                                        \
  check_##noun (text, dn_wire_find (wire, (id)));
  const DnWire *wire = &dn_guest_wire;
#include "../../protocol/protocol.def"
  wire = &dn_control_wire;
#include "../../launcher/base/control.def"
  wire = &dn_session_wire;
#include "../../launcher/base/session.def"
#undef DN_MSG
  golden_compare ("tests/golden/protocol.txt", text->str);
}

static void
check_order (const DnWire *wire)
{
  for (gsize i = 1; i < wire->count; i++)
    g_assert_cmpuint (wire->rules[i - 1].type, <, wire->rules[i].type);
}

static void
test_ids_are_in_order_so_that_finding_works (void)
{
  check_order (&dn_guest_wire);
  check_order (&dn_control_wire);
  check_order (&dn_control_all_wire);
  check_order (&dn_session_wire);
}

static void
test_the_longest_values_fit_their_messages (void)
{
  DnMsgReply reply = { .request = 1, .status = -1 };
  DnMsgReady ready = { 0 };
  DnMsgTopEntry entry = { 0 };
  DnMsgListenerEntry listener = { 0 };
  DnMsgRefused refused = { 0 };
  DnMsgCopyIn copy = { 0 };
  DnMsgLinkDown down = { 0 };
  DnMsgSessionLost lost = { 0 };
  guint8 bytes[9000];

  memset (reply.message, 'm', DN_MESSAGE_BYTES);
  g_assert_cmpint (dn_msg_reply_pack (&reply, bytes, sizeof bytes), >, 0);
  memset (ready.boot_id, 'b', DN_BOOT_ID_BYTES);
  memset (ready.kernel, 'k', 128);
  memset (ready.agent_version, 'v', 64);
  g_assert_cmpint (dn_msg_ready_pack (&ready, bytes, sizeof bytes), >, 0);
  memset (entry.command, 'c', DN_COMMAND_BYTES);
  g_assert_cmpint (dn_msg_top_entry_pack (&entry, bytes, sizeof bytes), >, 0);
  memset (listener.container, 'c', DN_ID_BYTES);
  memset (listener.program, 'p', DN_PROGRAM_BYTES);
  memset (listener.path, 'p', DN_SOCKET_PATH_BYTES);
  g_assert_cmpint (dn_msg_listener_entry_pack (&listener, bytes, sizeof bytes), >, 0);
  memset (refused.container, 'c', DN_ID_BYTES);
  memset (refused.program, 'p', DN_PROGRAM_BYTES);
  g_assert_cmpint (dn_msg_refused_pack (&refused, bytes, sizeof bytes), >, 0);
  memset (copy.container, 'c', DN_ID_BYTES);
  memset (copy.path, 'p', DN_PATH_BYTES);
  g_assert_cmpint (dn_msg_copy_in_pack (&copy, bytes, sizeof bytes), >, 0);
  memset (down.reason, 'r', DN_MESSAGE_BYTES);
  g_assert_cmpint (dn_msg_link_down_pack (&down, bytes, sizeof bytes), >, 0);
  memset (lost.reason, 'r', DN_MESSAGE_BYTES);
  g_assert_cmpint (dn_msg_session_lost_pack (&lost, bytes, sizeof bytes), >, 0);
}

static void
test_ports_of_a_card_are_read_strictly (void)
{
  const DnCardPort ports[] = { { DN_CARD_PORT_TCP, 80, 80 }, { DN_CARD_PORT_UDP, 1, 65535 } };
  static const guint8 wrong[][DN_CARD_PORT_BYTES]
      = { { 1, 0, 80, 0, 80 }, { 6, 0, 0, 0, 80 }, { 6, 0, 81, 0, 80 }, { 0, 0, 80, 0, 80 } };
  guint8 bytes[DN_CARD_PORTS_MAX * DN_CARD_PORT_BYTES + DN_CARD_PORT_BYTES];
  DnCardPort back[DN_CARD_PORTS_MAX];
  gsize size = dn_card_ports_encode (ports, 2, bytes);

  g_assert_cmpuint (size, ==, 2 * DN_CARD_PORT_BYTES);
  g_assert_cmpint (dn_card_ports_decode (bytes, size, back), ==, 2);
  g_assert_cmpuint (back[1].last, ==, 65535);
  g_assert_cmpint (dn_card_ports_decode (bytes, 0, back), ==, 0);
  for (gsize cut = 1; cut < DN_CARD_PORT_BYTES; cut++)
    g_assert_cmpint (dn_card_ports_decode (bytes, size - cut, back), ==, -EPROTO);
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    g_assert_cmpint (dn_card_ports_decode (wrong[i], DN_CARD_PORT_BYTES, back), ==, -EPROTO);
  for (guint i = 0; i <= DN_CARD_PORTS_MAX; i++)
    (void) dn_card_ports_encode (ports, 1, bytes + i * DN_CARD_PORT_BYTES);
  g_assert_cmpint (dn_card_ports_decode (bytes, sizeof bytes, back), ==, -EPROTO);
  g_assert_cmpint (dn_card_ports_decode (bytes, sizeof bytes - DN_CARD_PORT_BYTES, back), ==,
                   DN_CARD_PORTS_MAX);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define TEST(name) g_test_add_func ("/protocol/" #name, test_##name)
  TEST (every_message_keeps_its_bytes);
  TEST (ids_are_in_order_so_that_finding_works);
  TEST (the_longest_values_fit_their_messages);
  TEST (ports_of_a_card_are_read_strictly);
  return g_test_run ();
}
