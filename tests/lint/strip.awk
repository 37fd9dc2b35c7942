# SPDX-License-Identifier: Apache-2.0
# Prints C code as FILE:LINE:CODE, without comments and without the content of constants.
FNR == 1 {
	in_comment = 0
}
{
	rest = $0
	code = ""
	while (rest != "") {
		if (in_comment) {
			end = index(rest, "*/")
			if (!end) {
				rest = ""
				break
			}
			rest = substr(rest, end + 2)
			in_comment = 0
			continue
		}
		if (!match(rest, /["']|\/\*|\/\//)) {
			code = code rest
			break
		}
		code = code substr(rest, 1, RSTART - 1)
		mark = substr(rest, RSTART, RLENGTH)
		rest = substr(rest, RSTART + RLENGTH)
		if (mark == "//")
			break
		if (mark == "/*") {
			in_comment = 1
			code = code " "
			continue
		}
		# A constant: up to the next mark of its kind that no backslash stands before.
		while (match(rest, /\\.|["']/)) {
			found = substr(rest, RSTART, RLENGTH)
			rest = substr(rest, RSTART + RLENGTH)
			if (found == mark)
				break
		}
		code = code mark mark
	}
	if (code ~ /[^ \t]/)
		print FILENAME ":" FNR ":" code
}
