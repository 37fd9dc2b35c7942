/* SPDX-License-Identifier: Apache-2.0 */
/* What the files that unpack a layer share: the state of the work, and its parts. */
#ifndef BERTH_PULL_UNPACK_INTERNAL_H
#define BERTH_PULL_UNPACK_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "berth/base/fd.h"
#include "berth/base/str.h"

#include "common/path_set.h"
#include "stream/tar.h"

#include "index.h"
#include "metadata.h"
#include "unpack.h"

/* Most directories of one layer that may be implied only: they are remembered. */
#define IMPLIED_MAX (1u << 18)

/* Directories that are kept open: of the last ones used, and the layer's root. */
#define PARENTS_MAX 16

/* Hard links to what is not there (yet) that are remembered, for links to them. */
#define OPEN_LINKS_KEPT 256

enum answer {
	UNKNOWN,
	NO,
	YES
};

/* An open directory of the tree that is made. */
struct parent {
	int fd;	    /* negative: the slot is free */
	char *name; /* as the archive has it (normalised); owned */
	char *path; /* where that is: without symbolic links; "": the root; owned */
	uint64_t used;
	enum answer is_opaque;
	bool has_whiteouts; /* and their mark, see whiteouts.c */
	bool inherits;	    /* has a default ACL: what is made in it must be rid of that */
};

struct unpack {
	const struct unpack_options *options;
	int rootfd;
	struct tar *tar;
	int indexfd;
	struct index_writer *index;
	struct parent root, parents[PARENTS_MAX];
	uint64_t uses;
	bool parents_stale; /* a directory or a link went: what is open may be elsewhere */
	bool default_acls;  /* the layer has some */
	struct open_link {  /* a link whose target is not there: its place, what it leads to */
		char *path, *target; /* owned */
	} open_links[OPEN_LINKS_KEPT];
	size_t open_link_next;
	struct path_set *implied; /* directories without an entry of their own so far */
	struct unpack_result result;
	struct buf name, link; /* normalised texts of the entry at hand */
	struct buf place_path; /* path of the place at hand */
};

/* Where an entry goes: @name in @parent, which is never followed. */
struct place {
	struct parent *parent; /* valid while PARENTS_MAX - 1 others are found */
	const char *name;
	const char *path; /* of the place in the tree */
};

/*
 * Writes the normalised form of @path to @ret: no "/" in front, none twice, no ".". Refused: "..",
 * too many components, no such thing as a file's name. "": the root.
 */
int path_normalise(const struct unpack *unpack, const char *path, struct buf *ret,
		   struct error *err) must_check;

/* Counts one more entry, and refuses the one that is too much. */
int unpack_count(struct unpack *unpack, struct error *err) must_check;

/* A line of the index, with what is known of it. */
void unpack_note(struct unpack *unpack, char type, const char *path, const char *target,
		 const struct metadata *metadata);

/* parents.c */

enum missing {
	MISSING_REFUSE, /* -ENOENT */
	MISSING_MAKE
};

/*
 * Opens the directory @name (normalised), through symbolic links that this layer has, within the
 * root. What is missing is made, and noted as implied. -ENOTDIR, with a text, where something else
 * is in the way.
 */
int parents_find(struct unpack *unpack, const char *name, enum missing missing, struct parent **ret,
		 struct error *err) must_check;
/* Keeps @fd (taken over), a directory that was made just now at @place. */
struct parent *parents_add(struct unpack *unpack, const struct place *place, int fd);
void parents_close(struct unpack *unpack);

/* whiteouts.c */

bool whiteout_is(const struct stat *st);
/* If @name (the last component of an entry's path) says so: 1, and the entry is done. 0: it does
 * not. */
int whiteout_unpack(struct unpack *unpack, const char *directory, const char *name,
		    struct error *err) must_check;
/* Makes one at @place, which is free. Negative errno, without a text. */
int whiteout_make(struct unpack *unpack, const struct place *place) must_check;
/* The open directory hides what the layers below have in it. */
int whiteout_make_opaque(struct unpack *unpack, int fd, const char *path,
			 struct error *err) must_check;

/* links.c */

/* A hard link, or, where its target is not there (yet), a note for later. */
int link_unpack(struct unpack *unpack, const struct place *place, const struct tar_entry *entry,
		struct error *err) must_check;
void links_forget(struct unpack *unpack);
/* Makes the links whose targets came later than they. */
int link_finish(struct unpack *unpack, struct error *err) must_check;

/* unpack_content.c */

/* Writes the current entry's content to @fd. *ret_check: see index.h. */
int content_unpack(struct unpack *unpack, int fd, const struct tar_entry *entry,
		   uint32_t *ret_check, struct error *err) must_check;

/* unpack_place.c */

enum former {
	FORMER_NONE,
	FORMER_WHITEOUT, /* removed */
	FORMER_OTHER,	 /* removed */
	FORMER_DIRECTORY /* is still there */
};

/*
 * Makes room at @place for something that is (@directory) or is no directory: what this layer had
 * there before goes, but for a directory that a directory meets. Returns enum former.
 */
int place_clear(struct unpack *unpack, const struct place *place, bool directory,
		struct error *err) must_check;

#endif
