package memory

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
	"github.com/crashlint/crashlint/internal/runtimes/jvm"
)

var jvmFlagRefused = &rule.Rule{
	ID:       "jvm-flag-refused",
	Title:    "The JVM does not start with an option that it is given",
	Since:    "0.1.0",
	Severity: diag.Error,
	Workload: checkRefused,
}

func checkRefused(p *rule.Pass, w *manifest.Workload) {
	type place struct {
		object *manifest.Object
		path   string
	}
	var found []rule.Finding
	said := map[place]int{} // containers may share a ConfigMap: the surest speaks
	for _, ctr := range w.Containers {
		j, ok := jvm.Of(p.Cluster, ctr)
		if !ok || !jvm.HotSpot(ctr.Image) {
			continue
		}
		release := j.Release
		if release.Feature == 0 {
			release.Feature = jvm.Newest // who has an old Java says so
		}
		refused := slices.DeleteFunc(j.Refused(), func(r jvm.Refusal) bool { return !r.Holds(release) })
		for len(refused) > 0 {
			from := refused[0].Option.From
			here := place{from.Object, from.Path.String()}
			var group []jvm.Refusal
			refused = slices.DeleteFunc(refused, func(r jvm.Refusal) bool {
				same := r.Option.From.Object == from.Object && r.Option.From.Path.String() == here.path
				if same {
					group = append(group, r)
				}
				return same
			})
			f := refusedFinding(ctr, j, group)
			if i, ok := said[here]; !ok {
				said[here] = len(found)
				found = append(found, f)
			} else if f.Severity > found[i].Severity {
				found[i] = f
			}
		}
	}
	for _, f := range found {
		p.Report(f)
	}
}

// refusedFinding tells of the options of one place; the first is what the JVM
// stumbles over.
func refusedFinding(ctr *manifest.Container, j *jvm.JVM, group []jvm.Refusal) rule.Finding {
	first := group[0]
	by := first.Option
	f := rule.Finding{
		Object: by.From.Object, At: by.From.Path, Within: cmp.Or(by.From.Within, by.Bare, by.Text), Severity: diag.Error,
		Notes: []string{"a JVM, since " + strings.Join(j.Evidence, ", ")},
	}
	who := first.Releases()
	if j.Release.Feature > 0 {
		who = fmt.Sprintf("Java %s, which the image has", j.Release)
	}
	f.Message = fmt.Sprintf("container %q: %s is refused by %s: %s; the JVM exits with 1 at once, again and again", ctr.Name, by, who, first.Reason)
	unsaid := j.Release.Feature == 0 && !first.Everywhere()
	switch {
	case unsaid && by.Convention:
		f.Severity = diag.Info // two guesses
	case unsaid || first.Likely || !j.Sure(by):
		f.Severity = diag.Warning
	}
	if unsaid {
		f.Notes = append(f.Notes, "the image does not say which Java it holds")
	}
	if by.Convention {
		f.Notes = append(f.Notes, by.Carrier+" counts if the image's start script passes it on, as most do")
	}
	for _, r := range group[1:] {
		note := fmt.Sprintf("refused as well: %s: %s", r.Option, r.Reason)
		if r.Option.Text != by.Text && !slices.Contains(f.Notes, note) {
			f.Notes = append(f.Notes, note)
		}
	}
	if by.Secret || by.From.Object == nil {
		f.Object, f.At, f.Within, f.Target = ctr.Workload.Object, ctr.Path, "", node.Grip
	} else if !slices.ContainsFunc(group, func(r jvm.Refusal) bool { return r.Option.Bare != "" }) {
		f.Fixes = []rule.Fix{removeOptions(group)}
	}
	return f
}

// removeOptions takes the options out of the text that they stand in, or writes
// them as they were meant.
func removeOptions(group []jvm.Refusal) rule.Fix {
	from := group[0].Option.From
	value := from.Object.StringAt(from.Path)
	_, item := from.Path[len(from.Path)-1].Index()
	var words []string
	exact := true
	done := map[string]bool{}
	for _, r := range group {
		text := cmp.Or(r.Option.From.Within, r.Option.Text)
		if done[text] {
			continue
		}
		done[text] = true
		if strings.Trim(text, "-0123456789") == "" {
			// A piece of a command that lost its quotes.
			return rule.Fix{Safety: diag.Display, Message: "-XX:+ExitOnOutOfMemoryError, which needs no quotes, for a kill in -XX:OnOutOfMemoryError"}
		}
		meant := cmp.Or(r.Meant, meantBy(r.Option.Text))
		if meant == "" {
			words = append(words, "remove "+r.Option.String())
		} else {
			words = append(words, meant+" instead of "+r.Option.String())
		}
		exact = exact && strings.Count(value, text) == 1 // else expanded from elsewhere, or not to be told apart
		before, after, _ := strings.Cut(value, text)
		switch {
		case meant == "":
			before, after = strings.TrimRight(before, " "), strings.TrimLeft(after, " ")
			if before != "" && after != "" {
				before += " "
			}
		case strings.HasSuffix(meant, "="): // before a value that stands behind a blank
			after = strings.TrimLeft(after, " ")
		}
		value = before + meant + after
	}
	fix := rule.Fix{Safety: diag.Display, Message: strings.Join(words, ", ")}
	if hint := insteadOf(group); hint != "" {
		fix.Message += "; " + hint
	}
	// What has several lines has a layout of its own.
	if !exact || strings.ContainsAny(value, "\n\r") {
		return fix
	}
	fix.Safety = diag.Unsafe
	fix.Ops = []node.Op{{Kind: node.Set, Path: from.Path, Value: value}}
	if value == "" && item {
		fix.Ops = []node.Op{{Kind: node.Remove, Path: from.Path}}
	}
	return fix
}

var (
	sizeWithUnit  = regexp.MustCompile(`^(-X[a-z]+|-XX:[A-Za-z]+=)([0-9]+)([kKmMgG])(?:[bB]|i[bB]?)$`)
	wholePercents = regexp.MustCompile(`^(-XX:M(?:ax|in)RAMPercentage=)([0-9]{1,3})%?$`)
)

// meantBy returns the option that was meant where it is plain to see: -Xmx2g by
// -Xmx2GB; empty where it is not.
func meantBy(text string) string {
	if m := sizeWithUnit.FindStringSubmatch(text); m != nil {
		return m[1] + m[2] + strings.ToLower(m[3])
	}
	if m := wholePercents.FindStringSubmatch(text); m != nil && len(m[2]) < 3 {
		return m[1] + m[2] + ".0"
	}
	return ""
}

// successors says, by a part of the name, what took the place of a flag.
var successors = []struct{ part, hint string }{
	{"GCLogFile", "-Xlog:gc*:file=gc.log:time:filecount=5,filesize=10m rotates since Java 9"},
	{"PrintGC", "-Xlog:gc* logs collections since Java 9"},
	{"PermSize", "-XX:MaxMetaspaceSize bounds classes since Java 8"},
	{"UseCGroup", "the JVM reads the container's limit by itself since Java 10"},
}

// insteadOf says what took the place of the first option that has a successor.
func insteadOf(group []jvm.Refusal) string {
	for _, r := range group {
		for _, s := range successors {
			if strings.Contains(r.Option.Text, s.part) && !r.Option.Secret {
				return s.hint
			}
		}
	}
	return ""
}
