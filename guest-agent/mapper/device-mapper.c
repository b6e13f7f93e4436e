/* SPDX-License-Identifier: Apache-2.0 */
#include "device-mapper.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* What goes into the kernel and comes back. */
typedef struct
{
  struct dm_ioctl head;
  struct dm_target_spec target;
  char parameters[DN_MAPPER_PARAMETERS_BYTES + 1];
} Request;

/* As the kernel packs a device's number for this interface. */
static uint64_t
pack_device (unsigned int major, unsigned int minor)
{
  return (minor & 0xff) | ((uint64_t) major << 8) | ((uint64_t) (minor & ~0xffu) << 12);
}

static dev_t
unpack_device (uint64_t packed)
{
  return makedev ((packed >> 8) & 0xfff, (packed & 0xff) | ((packed >> 12) & 0xfff00));
}

static void
begin (Request *request, const char *name)
{
  /* That of Linux 2.6 and since; the kernel refuses another first number. */
  static const uint32_t interface[3] = { 4, 0, 0 };

  memset (request, 0, sizeof *request);
  memcpy (request->head.version, interface, sizeof interface);
  request->head.data_size = sizeof *request;
  request->head.data_start = offsetof (Request, target);
  memcpy (request->head.name, name, strnlen (name, DN_MAPPER_NAME_BYTES));
}

static int
ask (int control, unsigned long what, Request *request)
{
  return ioctl (control, what, request) < 0 ? -errno : 0;
}

static int
open_control (void)
{
  int fd = open (DN_MAPPER_CONTROL, O_RDWR | O_CLOEXEC);

  return fd < 0 ? -errno : fd;
}

static int
create (int control, const DnMapperTable *table, dev_t *ret_device)
{
  Request request;
  int r;

  begin (&request, table->name);
  if (table->minor != DN_MAPPER_MINOR_FREE)
    {
      request.head.flags = DM_PERSISTENT_DEV_FLAG;
      request.head.dev = pack_device (0, table->minor);
    }
  r = ask (control, DM_DEV_CREATE, &request);
  if (r == 0)
    *ret_device = unpack_device (request.head.dev);
  return r;
}

static int
load (int control, const DnMapperTable *table)
{
  Request request;
  int r;

  begin (&request, table->name);
  request.head.flags = DM_SECURE_DATA_FLAG | (table->is_writable ? 0 : DM_READONLY_FLAG);
  request.head.target_count = 1;
  request.target.length = table->sectors;
  memcpy (request.target.target_type, table->target,
          strnlen (table->target, DN_MAPPER_TARGET_BYTES));
  memcpy (request.parameters, table->parameters,
          strnlen (table->parameters, DN_MAPPER_PARAMETERS_BYTES));
  r = ask (control, DM_TABLE_LOAD, &request);
  explicit_bzero (&request, sizeof request);
  return r;
}

/* The call's name is of the opposite: without its flag it resumes. */
static int
bring_up (int control, const char *name)
{
  Request request;

  begin (&request, name);
  return ask (control, DM_DEV_SUSPEND, &request);
}

static int
take_away (int control, const char *name)
{
  Request request;

  begin (&request, name);
  request.head.flags = DM_DEFERRED_REMOVE;
  return ask (control, DM_DEV_REMOVE, &request);
}

int
dn_mapper_make (const DnMapperTable *table, dev_t *ret_device)
{
  int control = open_control ();
  dev_t device;
  int r;

  if (control < 0)
    return control;
  r = create (control, table, &device);
  if (r == 0)
    {
      if (ret_device != NULL)
        *ret_device = device;
      r = load (control, table);
      if (r == 0)
        r = bring_up (control, table->name);
      if (r < 0)
        (void) take_away (control, table->name);
    }
  (void) close (control);
  return r;
}

int
dn_mapper_remove (const char *name)
{
  int control = open_control ();
  int r;

  if (control < 0)
    return control;
  r = take_away (control, name);
  (void) close (control);
  return r;
}

/* What the kernel says of the device's one target: its table, or with other @flags its status. */
static int
read_target (int control, dev_t device, uint32_t flags, Request *ret_request)
{
  int r;

  begin (ret_request, "");
  ret_request->head.dev = pack_device (major (device), minor (device));
  ret_request->head.flags = flags;
  r = ask (control, DM_TABLE_STATUS, ret_request);
  if (r < 0)
    return r;
  if ((ret_request->head.flags & DM_BUFFER_FULL_FLAG) != 0)
    return -EMSGSIZE;
  if (ret_request->head.target_count != 1)
    return -E2BIG;
  return 0;
}

int
dn_mapper_read (dev_t device, DnMapperTable *ret_table, char *ret_status, size_t size)
{
  Request table, status;
  int control = open_control ();
  int r;

  if (control < 0)
    return control;
  r = read_target (control, device, DM_STATUS_TABLE_FLAG, &table);
  if (r == 0)
    r = read_target (control, device, 0, &status);
  (void) close (control);
  if (r < 0)
    return r;
  /* The kernel ends its texts within the size it was given. */
  if (strnlen (status.parameters, sizeof status.parameters) >= size)
    return -EMSGSIZE;

  memset (ret_table, 0, sizeof *ret_table);
  ret_table->sectors = table.target.length;
  ret_table->minor = minor (device);
  memcpy (ret_table->target, table.target.target_type, DN_MAPPER_TARGET_BYTES);
  memcpy (ret_table->parameters, table.parameters, DN_MAPPER_PARAMETERS_BYTES);
  memcpy (ret_status, status.parameters, strnlen (status.parameters, size - 1) + 1);
  return 0;
}
