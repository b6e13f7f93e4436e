/* SPDX-License-Identifier: Apache-2.0 */
/* The guest's channel in C: limits, constants and, out of protocol.def, ids, structs and codecs.
 *
 * The host sends orders, the guest answers; what the guest sends is fixed fields or raw bytes,
 * because the host runs no tree parser on bytes that a guest wrote.
 *
 * Pure: no I/O, no allocation, no logging.
 * Source: docs/protocol.md.
 */
#pragma once

#include "network.h"
#include "pod-record.h"
#include "wire.h"

/* The protocol's generation, an integer: both sides name what they speak, the lower wins. */
#define DN_PROTOCOL_GENERATION 4
#define DN_PROTOCOL_GENERATION_OLDEST 1
/* From this one on the guest knows LISTENERS; to an older one it would be a violation. */
#define DN_PROTOCOL_GENERATION_LISTENERS 2
/* From this one on the guest knows DISK_LAYER and tells DISK_DAMAGE. */
#define DN_PROTOCOL_GENERATION_LAYERS 3
/* From this one on the guest knows what comes from outside it: networks, secrets, volumes, limits
 * of input and output, health checks: groups 8 and up of protocol.def. */
#define DN_PROTOCOL_GENERATION_OUTSIDE 4
#define DN_PROTOCOL_OUTSIDE_FIRST 90

/* The one vsock port the agent listens on: below 1024, so that no container process could take it
 * even if it had AF_VSOCK. */
#define DN_AGENT_VSOCK_PORT 832

/* The virtio-serial port's name, where there is no vsock. */
#define DN_AGENT_SERIAL_PORT "org.danchi.agent"

#define DN_ID_BYTES 32 /* lower-case hexadecimal */
#define DN_BOOT_ID_BYTES 36
#define DN_HOSTNAME_BYTES 64
#define DN_DISK_SERIAL_BYTES 20 /* what virtio-blk can carry */
#define DN_DISK_BLOCK_BYTES 4096
#define DN_DISK_HASH_BYTES 32
#define DN_DISK_LAYERS_MAX 128
#define DN_MESSAGE_BYTES 400
#define DN_COMMAND_BYTES 256
#define DN_CPUS_BYTES 127   /* a list of processors */
#define DN_PROGRAM_BYTES 15 /* what the kernel keeps of a program's name */
#define DN_ADDRESS_BYTES 16
#define DN_IPV4_BYTES 4
#define DN_MAC_BYTES 6
#define DN_SOCKET_PATH_BYTES 108 /* sun_path */
#define DN_PATH_BYTES 4095
#define DN_REFERENCE_BYTES 255
#define DN_FACT_NAME_BYTES 255
#define DN_FACT_VALUE_BYTES 511
#define DN_VOLUME_NAME_BYTES 63
#define DN_VOLUME_KEY_FILE_BYTES 64 /* of an encrypted volume */
#define DN_PART_TOTAL_BYTES (1024 * 1024)
#define DN_LIMIT_NONE UINT64_MAX

/* Secrets and configuration files of a container: of each, of all, and how many. */
#define DN_SECRET_NAME_BYTES 64
#define DN_SECRET_BYTES (1024 * 1024)
#define DN_SECRETS_TOTAL_BYTES (4 * 1024 * 1024)
#define DN_SECRETS_MAX 64
/* SECRET.uid and gid: of the user that the container's program runs as. */
#define DN_SECRET_OF_USER UINT32_MAX
/* Of a KEY, and of all that wait to be taken. */
#define DN_KEY_BYTES 4096
#define DN_KEYS_MAX 16

/* At most this many bytes of a stream are under way unacknowledged.  Both sides start with a full
 * window when a stream is made; CREDIT gives back what was consumed. */
#define DN_STREAM_WINDOW_BYTES (256 * 1024)

/* A process owns this many consecutive stream numbers, the first a multiple of it: standard input
 * (or the terminal's), standard output (or the terminal's), standard error. */
#define DN_STREAMS_PER_PROCESS 4
#define DN_STREAM_STDIN 0
#define DN_STREAM_STDOUT 1
#define DN_STREAM_STDERR 2

/* CREATE and EXEC flags. */
#define DN_PROCESS_TERMINAL (1u << 0)
#define DN_PROCESS_STDIN (1u << 1) /* without it, standard input is empty */

/* With a first process of its own that reaps and passes signals on (CREATE, generation 4). */
#define DN_PROCESS_REAPER (1u << 2)

/* SIGNAL flags. */
#define DN_SIGNAL_ALL (1u << 0)

/* What a check of a container's health found, of HEALTH. */
typedef enum
{
  DN_HEALTH_STARTING = 1, /* none has passed yet, and none counted */
  DN_HEALTH_HEALTHY,
  DN_HEALTH_UNHEALTHY,
} DnHealthStatus;

typedef enum
{
  DN_HEALTH_ENDED = 1, /* with `code`, 128 + n by signal n */
  DN_HEALTH_LATE,      /* it took longer than it may and was killed */
  DN_HEALTH_NOT_RUN,   /* `output` says why */
} DnHealthOutcome;

#define DN_HEALTH_OUTPUT_BYTES 768
/* VOLUME_OPEN flags. */
#define DN_VOLUME_READONLY (1u << 0)
#define DN_VOLUME_NEW_DISK (1u << 1) /* nothing was ever written to it */
#define DN_VOLUME_ENCRYPTED (1u << 2)
/* A file system of somebody else's, shown whole: a container's root (org.danchi.root-volume). */
#define DN_VOLUME_FOREIGN (1u << 3)

/* PART kinds. */
enum
{
  DN_PART_CONFIG = 1,  /* OCI config.json, or an OCI process object for EXEC */
  DN_PART_SECCOMP = 2, /* struct sock_filter[], in the guest's byte order */
};

/* REFUSED.call: all calls beyond those that the agent tells apart. */
#define DN_REFUSED_OTHERS UINT32_MAX

/* Process states in LIST_ENTRY. */
typedef enum
{
  DN_PROCESS_CREATED = 1,
  DN_PROCESS_RUNNING = 2,
  DN_PROCESS_PAUSED = 3,
  DN_PROCESS_EXITED = 4, /* an EXITED with the status follows */
} DnProcessState;

/* Bits of STARTED.namespaces: the process is in one of its own, not the agent's. */
enum
{
  DN_NAMESPACE_USER = 1 << 0,
  DN_NAMESPACE_MOUNT = 1 << 1,
  DN_NAMESPACE_PID = 1 << 2,
  DN_NAMESPACE_IPC = 1 << 3,
  DN_NAMESPACE_UTS = 1 << 4,
  DN_NAMESPACE_NET = 1 << 5,
  DN_NAMESPACE_CGROUP = 1 << 6,
};

/* LISTENER_ENTRY protocols. */
typedef enum
{
  DN_LISTENER_TCP = 1,
  DN_LISTENER_TCP6 = 2,
  DN_LISTENER_UDP = 3, /* bound to a port and to no peer, as are those of UDP6 */
  DN_LISTENER_UDP6 = 4,
  DN_LISTENER_UNIX = 5, /* stream and seqpacket sockets that listen */
} DnListenerProtocol;

/* More than so many of one container are not told. */
#define DN_LISTENERS_MAX 64

/* UNPACK_PROGRESS phases. */
enum
{
  DN_UNPACK_PHASE_VERIFY = 1, /* digests; bytes of the archive */
  DN_UNPACK_PHASE_LAYERS = 2, /* unpacking; bytes of the archive */
  DN_UNPACK_PHASE_BUILD = 3,  /* writing EROFS; files */
  DN_UNPACK_PHASE_HASH = 4,   /* hashing the result; bytes of the image */
};

/* NETWORK.flags */
enum
{
  DN_NETWORK_CARD = 1 << 0,       /* the guest has a card of its own */
  DN_NETWORK_CONTAINERS = 1 << 1, /* its containers reach each other's ports (CARD) */
  DN_NETWORK_OUTGOING = 1 << 2,   /* its containers may begin connections through its card */
};

/* CARD_FILE.kind */
typedef enum
{
  DN_CARD_FILE_HOSTS = 1,       /* /etc/hosts */
  DN_CARD_FILE_RESOLV_CONF = 2, /* /etc/resolv.conf */
} DnCardFile;

#define DN_CARD_FILE_BYTES 49000

/* UNPACK_FIELD fields.  A list comes as one frame for each element, in order. */
typedef enum
{
  DN_IMAGE_NAME = 1, /* a reference the archive gives the image; several */
  DN_IMAGE_ARCHITECTURE = 2,
  DN_IMAGE_OS = 3,
  DN_IMAGE_CREATED = 4,
  DN_IMAGE_USER = 5,
  DN_IMAGE_WORKING_DIR = 6,
  DN_IMAGE_STOP_SIGNAL = 7,
  DN_IMAGE_ENV = 8,           /* NAME=value; several */
  DN_IMAGE_ENTRYPOINT = 9,    /* several */
  DN_IMAGE_CMD = 10,          /* several */
  DN_IMAGE_EXPOSED_PORT = 11, /* several */
  DN_IMAGE_VOLUME = 12,       /* several */
  DN_IMAGE_LABEL = 13,        /* NAME=value; several */
  DN_IMAGE_LAYER = 14,        /* sha256:... of an uncompressed layer; several */
  DN_IMAGE_AUTHOR = 15,
  DN_IMAGE_HISTORY = 16,     /* created_by; several */
  DN_IMAGE_HEALTHCHECK = 17, /* the test's words; several */
  /* One for each HISTORY, before it: "layer" or "empty" (it made none), a blank, and when */
  DN_IMAGE_HISTORY_STEP = 18,
  DN_IMAGE_HEALTH_TIME = 19, /* interval_ns=N, timeout_ns, start_period_ns, retries; several */
} DnImageField;

/* UNPACK_ENTRY.offset: the blob is not in the archive. */
#define DN_UNPACK_ELSEWHERE UINT64_MAX

/* What all UNPACK_FIELDs of one image may add up to. */
#define DN_IMAGE_FIELDS_MAX 8192
#define DN_IMAGE_FIELDS_TOTAL_BYTES (1024 * 1024)
#define DN_IMAGE_FIELD_VALUE_BYTES 32768

extern const DnWire dn_guest_wire;

#define DN_DEFINE_TYPES
#define DN_DEFINE_FILE "protocol.def"
#include "define.h"
#undef DN_DEFINE_TYPES
#undef DN_DEFINE_FILE
