// SPDX-License-Identifier: Apache-2.0

// Package tap writes test results in the Test Anything Protocol. It has the names and arguments
// that the validation programs call, and nothing more; build.sh gives it its import path.
package tap

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// T numbers the results of one program and prints them on standard output.
type T struct {
	count *int
	todo  bool
}

// New returns a writer that has printed nothing yet.
func New() *T {
	return &T{count: new(int)}
}

// Header prints the version line, and the plan when planned says how many results will follow.
func (t *T) Header(planned int) {
	fmt.Fprintln(os.Stdout, "TAP version 13")
	if planned > 0 {
		fmt.Fprintf(os.Stdout, "1..%d\n", planned)
	}
}

// AutoPlan prints the plan after the results, from their number.
func (t *T) AutoPlan() {
	fmt.Fprintf(os.Stdout, "1..%d\n", *t.count)
}

// Ok prints one result.
func (t *T) Ok(passed bool, description string) {
	word := "ok"
	if !passed {
		word = "not ok"
	}
	t.result(word, description)
}

// Pass prints one good result.
func (t *T) Pass(description string) {
	t.Ok(true, description)
}

// Fail prints one bad result.
func (t *T) Fail(description string) {
	t.Ok(false, description)
}

// Skip prints count results that were not tried, and why.
func (t *T) Skip(count int, reason string) {
	for ; count > 0; count-- {
		t.result("ok", "# SKIP "+reason)
	}
}

// Todo returns a writer in the same series, whose bad results are known and do not count.
func (t *T) Todo() *T {
	return &T{count: t.count, todo: true}
}

// Diagnostic prints a comment, one line or many.
func (t *T) Diagnostic(text string) {
	for _, line := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		fmt.Fprintln(os.Stdout, "# "+line)
	}
}

// Diagnosticf prints a formatted comment.
func (t *T) Diagnosticf(format string, args ...interface{}) {
	t.Diagnostic(fmt.Sprintf(format, args...))
}

// YAML attaches a value to the result before it. JSON is YAML too, and keeps every string on one
// line, so that text which itself looks like results is not taken for some.
func (t *T) YAML(value interface{}) error {
	text, err := json.MarshalIndent(value, "  ", "  ")
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stdout, "  ---\n  %s\n  ...\n", text)
	return nil
}

func (t *T) result(word, description string) {
	*t.count++
	if !strings.HasPrefix(description, "#") {
		description = "- " + description
	}
	description = strings.ReplaceAll(description, "\n", " ")
	if t.todo {
		description += " # TODO"
	}
	fmt.Fprintf(os.Stdout, "%s %d %s\n", word, *t.count, description)
}
