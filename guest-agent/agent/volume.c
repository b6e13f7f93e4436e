/* SPDX-License-Identifier: Apache-2.0 */
#include "volume.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "autofd.h"
#include "keys.h"

DnVolumes *
dn_volumes_new (void)
{
  return calloc (1, sizeof (DnVolumes));
}

static DnVolume *
find (DnAgent *agent, const char *id, DnVolume **ret_free)
{
  DnVolume *free_slot = NULL;

  for (size_t i = 0; i < DN_VOLUMES_MAX; i++)
    {
      DnVolume *volume = &agent->volumes->volumes[i];

      if (volume->stage == DN_VOLUME_FREE)
        free_slot = free_slot != NULL ? free_slot : volume;
      else if (strcmp (volume->id, id) == 0)
        return volume;
    }
  if (ret_free != NULL)
    *ret_free = free_slot;
  return NULL;
}

DnVolume *
dn_volume_find (DnAgent *agent, const char *id)
{
  DnVolume *volume = find (agent, id, NULL);

  return volume != NULL && volume->stage == DN_VOLUME_IS_OPEN ? volume : NULL;
}

static void
forget (DnVolume *volume)
{
  dn_watch_remove (&volume->worker);
  dn_fd_clear (&volume->worker.fd);
  dn_fd_clear (&volume->report_fd);
  dn_fd_clear (&volume->mount_fd);
  *volume = (DnVolume){ 0 };
}

/* What came of the worker's work; one that died without a word has failed. */
static void
read_report (const DnVolume *volume, DnFault *ret_fault)
{
  if (read (volume->report_fd, ret_fault, sizeof *ret_fault) != (ssize_t) sizeof *ret_fault)
    (void) dn_fault_set (ret_fault, -EIO, "volume '%s': the process that mounts it died",
                         volume->name);
  ret_fault->message[sizeof ret_fault->message - 1] = '\0';
}

static void
opened (DnVolume *volume, DnFault *fault)
{
  DnRequest request = volume->request;
  DnAgent *agent = volume->agent;

  if (fault->status == 0)
    {
      volume->mount_fd = open (volume->target, O_PATH | O_DIRECTORY | O_CLOEXEC);
      if (volume->mount_fd < 0)
        (void) dn_fault_set_errno (fault, "volume '%s'", volume->name);
    }
  if (fault->status < 0)
    {
      forget (volume);
      dn_agent_reply_fault (agent, &request, fault);
      return;
    }
  volume->stage = DN_VOLUME_IS_OPEN;
  dn_agent_reply (agent, &volume->request, 0, "");
}

static void
closed (DnVolume *volume, const DnFault *fault)
{
  DnRequest request = volume->request;
  DnAgent *agent = volume->agent;

  forget (volume);
  if (fault->status < 0)
    dn_agent_reply_fault (agent, &request, fault);
  else
    dn_agent_reply (agent, &request, 0, "");
}

static void
worker_ended (DnWatch *watch, uint32_t events)
{
  DnVolume *volume = watch->data;
  siginfo_t info = { 0 };
  DnFault fault = { 0 };

  (void) events;
  if (waitid (P_PIDFD, (id_t) watch->fd, &info, WEXITED | WNOHANG) < 0 || info.si_pid == 0)
    return;
  read_report (volume, &fault);
  dn_watch_remove (&volume->worker);
  dn_fd_clear (&volume->worker.fd);
  dn_fd_clear (&volume->report_fd);
  if (volume->stage == DN_VOLUME_OPENING)
    opened (volume, &fault);
  else
    closed (volume, &fault);
}

/* In the worker: the agent's own code, with none of its descriptors. */
static _Noreturn void
work (const DnVolume *volume, DnVolumeDisk *disk, int report_fd)
{
  DnFault fault = { 0 };
  int fd = dup2 (report_fd, 3);

  (void) close_range (4, ~0U, 0);
  if (volume->stage == DN_VOLUME_OPENING)
    (void) dn_volume_disk_open (&volume->agent->disks, disk, &fault);
  else
    (void) dn_volume_disk_close (disk, &fault);
  explicit_bzero (disk->key, sizeof disk->key);
  /* Less than a pipe takes at once. */
  _exit (write (fd, &fault, sizeof fault) == (ssize_t) sizeof fault ? 0 : 1);
}

/* Starts the worker for the stage that the volume is in. */
static int
spawn (DnVolume *volume, DnVolumeDisk *disk, DnFault *fault)
{
  int ends[2];
  int pidfd = -1;
  struct clone_args args
      = { .flags = CLONE_PIDFD, .pidfd = (uint64_t) (uintptr_t) &pidfd, .exit_signal = SIGCHLD };
  long pid;

  if (pipe2 (ends, O_CLOEXEC) < 0)
    return dn_fault_set_errno (fault, "volume '%s'", volume->name);
  pid = syscall (SYS_clone3, &args, sizeof args);
  if (pid == 0)
    work (volume, disk, ends[1]);
  (void) close (ends[1]);
  volume->report_fd = ends[0];
  if (pid < 0)
    return dn_fault_set_errno (fault, "volume '%s'", volume->name);
  volume->worker.fd = pidfd;
  return dn_watch_set (&volume->worker, EPOLLIN) < 0
             ? dn_fault_set (fault, -EIO, "volume '%s': watch its process", volume->name)
             : 0;
}

static void
describe (const DnVolume *volume, DnVolumeDisk *ret_disk)
{
  char unique[9] = "";

  if (volume->id[0] != '\0')
    (void) snprintf (unique, sizeof unique, "%.8s", volume->id + 1);
  *ret_disk = (DnVolumeDisk){ .name = volume->name,
                              .disk = volume->disk,
                              .target = volume->target,
                              .template = volume->agent->options.volume_template,
                              .is_readonly = volume->is_readonly,
                              .is_encrypted = volume->is_encrypted,
                              .is_foreign = volume->is_foreign };
  /* Disks with the same key are numbered apart; one has less than 2^31 sectors. */
  ret_disk->first_sector = strtoull (unique, NULL, 16) << 31;
  (void) snprintf (ret_disk->crypt_name, sizeof ret_disk->crypt_name, "volume.%s.%u", volume->id,
                   volume->number);
}

static int
check (const DnMsgVolumeOpen *message, DnFault *fault)
{
  /* Both become paths or names of devices. */
  if (!dn_disk_serial_is_valid (message->volume) || !dn_disk_serial_is_valid (message->disk))
    return dn_fault_set (fault, -EINVAL, "volume: not a serial number");
  return 0;
}

/* The key that came for it. */
static int
take_key (DnAgent *agent, const DnVolume *volume, uint8_t ret_key[DN_VOLUME_KEY_BYTES],
          DnFault *fault)
{
  DnKey *key = dn_keys_take (agent, volume->id);
  int r = 0;

  if (key == NULL)
    r = dn_fault_set (fault, -ENOKEY, "volume '%s': is encrypted, and its key did not come",
                      volume->name);
  else if (key->size != DN_VOLUME_KEY_BYTES)
    r = dn_fault_set (fault, -EKEYREJECTED, "volume '%s': its key has %zu bytes, and must have %d",
                      volume->name, key->size, DN_VOLUME_KEY_BYTES);
  else
    memcpy (ret_key, key->bytes, DN_VOLUME_KEY_BYTES);
  dn_key_free (key);
  return r;
}

static int
begin (DnAgent *agent, DnVolume *volume, const DnMsgVolumeOpen *message, DnFault *fault)
{
  DnVolumeDisk disk;
  int r;

  *volume = (DnVolume){ .agent = agent,
                        .stage = DN_VOLUME_OPENING,
                        .is_readonly = (message->flags & DN_VOLUME_READONLY) != 0,
                        .is_encrypted = (message->flags & DN_VOLUME_ENCRYPTED) != 0,
                        .is_foreign = (message->flags & DN_VOLUME_FOREIGN) != 0,
                        .number = ++agent->volumes->last_number,
                        .mount_fd = -1,
                        .report_fd = -1 };
  strcpy (volume->id, message->volume);
  strcpy (volume->disk, message->disk);
  strcpy (volume->name, message->name);
  dn_watch_init (&volume->worker, &agent->loop, -1, worker_ended, volume);
  (void) snprintf (volume->target, sizeof volume->target, "%s/volumes/%s", agent->options.run_dir,
                   volume->id);
  describe (volume, &disk);
  disk.is_new = (message->flags & DN_VOLUME_NEW_DISK) != 0;
  r = volume->is_encrypted ? take_key (agent, volume, disk.key, fault) : 0;
  if (r == 0)
    r = spawn (volume, &disk, fault);
  explicit_bzero (disk.key, sizeof disk.key);
  if (r < 0)
    forget (volume);
  return r;
}

/* One that is there already. */
static int
open_again (const DnAgent *agent, DnVolume *volume, DnRequest *request,
            const DnMsgVolumeOpen *message, DnFault *fault)
{
  /* Asked for by a danchid that has ended meanwhile: its successor gets the answer. */
  if (volume->stage == DN_VOLUME_OPENING && !dn_request_is_current (agent, &volume->request))
    {
      volume->request = *request;
      *request = (DnRequest){ 0 };
      return 0;
    }
  if (volume->stage != DN_VOLUME_IS_OPEN)
    return dn_fault_set (fault, -EBUSY, "volume '%s': is just being opened or closed",
                         volume->name);
  return volume->is_readonly == ((message->flags & DN_VOLUME_READONLY) != 0)
                 && volume->is_encrypted == ((message->flags & DN_VOLUME_ENCRYPTED) != 0)
                 && volume->is_foreign == ((message->flags & DN_VOLUME_FOREIGN) != 0)
             ? 0
             : dn_fault_set (fault, -EBUSY, "volume '%s': is open in another way", volume->name);
}

void
dn_volume_open (DnAgent *agent, DnRequest request, const DnMsgVolumeOpen *message)
{
  DnVolume *free_slot = NULL;
  DnVolume *volume = find (agent, message->volume, &free_slot);
  DnFault fault = { 0 };
  int r = check (message, &fault);

  if (r == 0 && volume != NULL)
    {
      r = open_again (agent, volume, &request, message, &fault);
      if (r == 0)
        dn_agent_reply (agent, &request, 0, "");
    }
  else if (r == 0 && free_slot == NULL)
    r = dn_fault_set (&fault, -ENOSPC, "volume '%s': more than %d volumes", message->name,
                      DN_VOLUMES_MAX);
  else if (r == 0)
    {
      r = begin (agent, free_slot, message, &fault);
      if (r == 0)
        free_slot->request = request;
    }
  if (r < 0)
    dn_agent_reply_fault (agent, &request, &fault);
}

void
dn_volume_close (DnAgent *agent, DnRequest request, const DnMsgVolumeClose *message)
{
  DnVolume *volume = find (agent, message->volume, NULL);
  DnVolumeDisk disk;
  DnFault fault = { 0 };

  if (volume == NULL)
    {
      dn_agent_reply (agent, &request, 0, "");
      return;
    }
  if (volume->stage != DN_VOLUME_IS_OPEN || volume->references > 0)
    {
      dn_agent_reply (agent, &request, -EBUSY, "a container has the volume");
      return;
    }
  dn_fd_clear (&volume->mount_fd);
  volume->stage = DN_VOLUME_CLOSING;
  describe (volume, &disk);
  if (spawn (volume, &disk, &fault) == 0)
    volume->request = request;
  else
    {
      forget (volume);
      dn_agent_reply_fault (agent, &request, &fault);
    }
}

void
dn_volumes_sync (DnAgent *agent)
{
  for (size_t i = 0; i < DN_VOLUMES_MAX; i++)
    {
      const DnVolume *volume = &agent->volumes->volumes[i];
      dn_autofd int top = -1;

      if (volume->stage != DN_VOLUME_IS_OPEN || volume->is_readonly)
        continue;
      top = openat (volume->mount_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
      if (top >= 0)
        (void) syncfs (top);
    }
}
