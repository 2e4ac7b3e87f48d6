package report

import (
	"bufio"
	"cmp"
	"fmt"
	"net/url"
	"path"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/source"
)

const (
	sarifSchema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
	sarifRoot   = "%SRCROOT%"
	// maxDescription is how much of a rule's fullDescription GitHub reads.
	maxDescription = 1024
)

// The part of SARIF 2.1.0 that crashlint writes. A library that was tried
// (go-sarif v3) writes -1 into fields that GitHub and GitLab then refuse.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool               sarifTool                `json:"tool"`
		Invocations        []sarifInvocation        `json:"invocations"`
		OriginalURIBaseIDs map[string]sarifArtifact `json:"originalUriBaseIds"`
		ColumnKind         string                   `json:"columnKind"`
		Results            []sarifResult            `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name           string      `json:"name"`
		Version        string      `json:"version,omitempty"`
		InformationURI string      `json:"informationUri"`
		Rules          []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID                   string              `json:"id"`
		Name                 string              `json:"name,omitempty"`
		ShortDescription     sarifMessage        `json:"shortDescription"`
		FullDescription      sarifMessage        `json:"fullDescription"`
		Help                 sarifMessage        `json:"help"`
		HelpURI              string              `json:"helpUri"`
		DefaultConfiguration sarifConfiguration  `json:"defaultConfiguration"`
		Properties           sarifRuleProperties `json:"properties"`
	}
	sarifConfiguration struct {
		Level string `json:"level"`
	}
	sarifRuleProperties struct {
		Tags            []string `json:"tags"`
		Precision       string   `json:"precision"`
		ProblemSeverity string   `json:"problem.severity"`
	}
	sarifMessage struct {
		Text     string `json:"text"`
		Markdown string `json:"markdown,omitempty"`
	}
	sarifArtifact struct {
		URI         string        `json:"uri,omitempty"`
		URIBaseID   string        `json:"uriBaseId,omitempty"`
		Description *sarifMessage `json:"description,omitempty"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn"`
		EndLine     int `json:"endLine"`
		EndColumn   int `json:"endColumn"`
	}
	sarifPhysical struct {
		ArtifactLocation sarifArtifact `json:"artifactLocation"`
		Region           *sarifRegion  `json:"region,omitempty"`
	}
	sarifLogical struct {
		FullyQualifiedName string `json:"fullyQualifiedName"`
		Kind               string `json:"kind"`
	}
	sarifLocation struct {
		ID               int            `json:"id,omitempty"`
		PhysicalLocation sarifPhysical  `json:"physicalLocation"`
		LogicalLocations []sarifLogical `json:"logicalLocations,omitempty"`
		Message          *sarifMessage  `json:"message,omitempty"`
	}
	sarifResult struct {
		RuleID              string             `json:"ruleId"`
		RuleIndex           int                `json:"ruleIndex"`
		Level               string             `json:"level"`
		Message             sarifMessage       `json:"message"`
		Locations           []sarifLocation    `json:"locations"`
		RelatedLocations    []sarifLocation    `json:"relatedLocations,omitempty"`
		PartialFingerprints sarifFingerprints  `json:"partialFingerprints"`
		Fixes               []sarifFix         `json:"fixes,omitempty"`
		Suppressions        []sarifSuppression `json:"suppressions,omitempty"`
	}
	sarifFingerprints struct {
		Own    string `json:"crashlint/v1"`
		GitHub string `json:"primaryLocationLineHash,omitempty"`
	}
	sarifFix struct {
		Description     sarifMessage       `json:"description"`
		ArtifactChanges []sarifChange      `json:"artifactChanges"`
		Properties      sarifFixProperties `json:"properties"`
	}
	sarifFixProperties struct {
		Safety string `json:"safety"`
	}
	sarifChange struct {
		ArtifactLocation sarifArtifact      `json:"artifactLocation"`
		Replacements     []sarifReplacement `json:"replacements"`
	}
	sarifReplacement struct {
		DeletedRegion   sarifRegion   `json:"deletedRegion"`
		InsertedContent *sarifMessage `json:"insertedContent,omitempty"`
	}
	sarifSuppression struct {
		Kind          string `json:"kind"`
		Status        string `json:"status"`
		Justification string `json:"justification,omitempty"`
	}
	sarifInvocation struct {
		ExecutionSuccessful bool                `json:"executionSuccessful"`
		Notifications       []sarifNotification `json:"toolExecutionNotifications,omitempty"`
	}
	sarifNotification struct {
		Level     string          `json:"level"`
		Message   sarifMessage    `json:"message"`
		Locations []sarifLocation `json:"locations,omitempty"`
	}
)

func writeSARIF(out *bufio.Writer, v *view) error {
	rules, index := sarifRules(v)
	run := sarifRun{
		Tool: sarifTool{sarifDriver{
			Name: "crashlint", Version: v.Version, InformationURI: informationURI, Rules: rules,
		}},
		// What could not be read makes the run a failed one, however many
		// findings there are; findings alone do not.
		Invocations: []sarifInvocation{{
			ExecutionSuccessful: len(v.Problems) == 0,
			Notifications: append(v.sarifNotifications("error", v.Problems),
				v.sarifNotifications("note", v.Notes)...),
		}},
		// Without a uri: where the files lie on this machine is nobody's
		// business, and differs from run to run.
		OriginalURIBaseIDs: map[string]sarifArtifact{
			sarifRoot: {Description: &sarifMessage{Text: "The directory that crashlint ran in."}},
		},
		ColumnKind: "unicodeCodePoints",
		Results:    make([]sarifResult, 0, len(v.shown)),
	}
	hashes := map[*source.File]*lineHashes{}
	for _, d := range v.shown {
		run.Results = append(run.Results, v.sarifResultOf(d, index[d.Rule], hashes))
	}
	return encode(out, sarifLog{Schema: sarifSchema, Version: "2.1.0", Runs: []sarifRun{run}})
}

// sarifRules describes the rules that could have spoken and those that did
// although the result does not list them; index is each one's place.
func sarifRules(v *view) (rules []sarifRule, index map[string]int) {
	rules, index = make([]sarifRule, 0, len(v.Rules)), make(map[string]int, len(v.Rules))
	add := func(r *diag.Rule) {
		if _, ok := index[r.ID]; !ok {
			index[r.ID] = len(rules)
			rules = append(rules, sarifRuleOf(r))
		}
	}
	for _, r := range v.Rules {
		add(r)
	}
	for _, d := range v.shown {
		add(&diag.Rule{ID: d.Rule, Severity: d.Severity})
	}
	return rules, index
}

func sarifRuleOf(r *diag.Rule) sarifRule {
	title := cmp.Or(r.Title, r.ID)
	help := cmp.Or(strings.TrimSpace(r.Help), sentence(title))
	uri := r.HelpURI
	if !strings.HasPrefix(uri, "https://") {
		uri = informationURI
	}
	tags := []string{"kubernetes", "reliability"}
	if r.Family != "" {
		tags = append(tags, r.Family)
	}
	level := sarifLevel(r.Severity)
	severity := level
	if level == "note" {
		severity = "recommendation"
	}
	return sarifRule{
		ID: r.ID, Name: pascalCase(r.ID),
		ShortDescription:     sarifMessage{Text: sentence(title)},
		FullDescription:      sarifMessage{Text: sentence(summaryOf(help, title))},
		Help:                 sarifMessage{Text: help, Markdown: help},
		HelpURI:              uri,
		DefaultConfiguration: sarifConfiguration{level},
		Properties:           sarifRuleProperties{Tags: tags, Precision: "high", ProblemSeverity: severity},
	}
}

// summaryOf returns the first paragraph of a rule's help, in one line and short
// enough for GitHub.
func summaryOf(help, title string) string {
	for paragraph := range strings.SplitSeq(strings.ReplaceAll(help, "\r\n", "\n"), "\n\n") {
		paragraph = strings.Join(strings.Fields(paragraph), " ")
		if paragraph == "" || strings.HasPrefix(paragraph, "#") || strings.HasPrefix(paragraph, "```") {
			continue
		}
		// Room for the full stop that sentence adds.
		if utf8.RuneCountInString(paragraph) < maxDescription {
			return paragraph
		}
		cut := string([]rune(paragraph)[:maxDescription-2])
		if space := strings.LastIndexByte(cut, ' '); space > 0 {
			cut = cut[:space]
		}
		return cut + ellipsis
	}
	return title
}

// pascalCase turns jvm-heap-over-limit into JvmHeapOverLimit.
func pascalCase(id string) string {
	var b strings.Builder
	for word := range strings.FieldsFuncSeq(id, func(r rune) bool { return strings.ContainsRune("-_./ ", r) }) {
		_, size := utf8.DecodeRuneInString(word)
		b.WriteString(strings.ToUpper(word[:size]) + word[size:])
	}
	if strings.EqualFold(b.String(), id) {
		return "" // a name that only repeats the id is refused
	}
	return b.String()
}

// sentence ends text with a full stop where it has no end.
func sentence(text string) string {
	text = strings.TrimRight(text, " \n")
	if text == "" || strings.HasSuffix(text, ellipsis) || strings.ContainsAny(text[len(text)-1:], ".!?") {
		return text
	}
	return text + "."
}

func sarifLevel(s diag.Severity) string {
	switch s {
	case diag.Error:
		return "error"
	case diag.Warning:
		return "warning"
	default:
		return "note"
	}
}

func (v *view) sarifResultOf(d *diag.Diagnostic, rule int, hashes map[*source.File]*lineHashes) sarifResult {
	location := v.sarifLocationOf(d.Location)
	if name := d.FullyQualifiedName(); name != "" {
		kind := "resource"
		if d.Path != "" {
			kind = "property"
		}
		location.LogicalLocations = []sarifLogical{{name, kind}}
	}
	r := sarifResult{
		RuleID: d.Rule, RuleIndex: rule, Level: sarifLevel(d.Severity),
		Message:   sarifMessage{Text: sarifText(d)},
		Locations: []sarifLocation{location},
		Fixes:     v.sarifFixes(d),
	}
	for i, related := range d.Related {
		l := v.sarifLocationOf(related.Location)
		l.ID = i + 1
		l.Message = &sarifMessage{Text: literal(related.Message)}
		r.RelatedLocations = append(r.RelatedLocations, l)
	}
	r.PartialFingerprints.Own = fingerprint(d)
	// The hash of a line that holds a Secret would let a weak one be guessed;
	// GitHub computes it itself where it is left out.
	if f := d.Location.File; f != nil && d.Object.Kind != secretKind {
		if hashes[f] == nil {
			hashes[f] = newLineHashes(f)
		}
		r.PartialFingerprints.GitHub = hashes[f].of(location.PhysicalLocation.Region.StartLine)
	}
	if s := d.Suppressed; s != nil {
		r.Suppressions = []sarifSuppression{{Kind: s.Kind, Status: "accepted", Justification: s.Reason}}
	}
	return r
}

// sarifText is all that GitHub shows of a result: the message, the numbers
// behind it, what to do, and links to the related places, which it shows only
// when the message links them.
func sarifText(d *diag.Diagnostic) string {
	parts := []string{sentence(literal(d.Message))}
	for _, n := range d.Notes {
		parts = append(parts, sentence(literal(n)))
	}
	if len(d.Fixes) > 0 {
		parts = append(parts, "Fix: "+sentence(literal(d.Fixes[0].Message)))
	}
	if len(d.Related) > 0 {
		links := make([]string, 0, len(d.Related))
		for i, r := range d.Related {
			text := cmp.Or(r.Message, "related place "+strconv.Itoa(i+1))
			links = append(links, fmt.Sprintf("[%s](%d)", linkText.Replace(escapePlaceholders(text)), i+1))
		}
		parts = append(parts, "See "+strings.Join(links, ", ")+".")
	}
	return strings.Join(parts, " ")
}

// linkText escapes the text of an embedded link: SARIF 2.1.0, 3.11.6.
var linkText = strings.NewReplacer(`\`, `\\`, `[`, `\[`, `]`, `\]`)

// literal keeps text that comes from a manifest from being taken for a link or
// a placeholder.
func literal(text string) string {
	return escapePlaceholders(strings.ReplaceAll(text, "](", "] ("))
}

// escapePlaceholders doubles the braces of {0}, which a reader would replace
// by an argument: SARIF 2.1.0, 3.11.5. It would have every brace doubled, which
// GitHub and the other readers then show doubled.
func escapePlaceholders(text string) string {
	if !strings.Contains(text, "{") {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		end := i + 1
		for text[i] == '{' && end < len(text) && '0' <= text[end] && text[end] <= '9' {
			end++
		}
		if end > i+1 && end < len(text) && text[end] == '}' {
			b.WriteString("{" + text[i:end+1] + "}")
			i = end
			continue
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

// sarifFixes are the fixes that a program may apply. The others stand in the
// message.
func (v *view) sarifFixes(d *diag.Diagnostic) []sarifFix {
	var out []sarifFix
	for _, f := range d.Fixes {
		if d.Location.File == nil || f.Safety == diag.Display || !spelled(d, f) {
			continue
		}
		change := sarifChange{ArtifactLocation: sarifURI(d.Location.File.Path)}
		for _, e := range f.Edits {
			span := clamp(d.Location.File, e.Span)
			replacement := sarifReplacement{
				DeletedRegion: sarifRegionOf(v.position(d.Location.File, span.Start), v.position(d.Location.File, span.End)),
			}
			if e.New != "" {
				replacement.InsertedContent = &sarifMessage{Text: e.New}
			}
			change.Replacements = append(change.Replacements, replacement)
		}
		out = append(out, sarifFix{
			Description:     sarifMessage{Text: sentence(literal(f.Message))},
			ArtifactChanges: []sarifChange{change},
			Properties:      sarifFixProperties{f.Safety.String()},
		})
	}
	return out
}

func (v *view) sarifNotifications(level string, ps []diag.Problem) []sarifNotification {
	out := make([]sarifNotification, 0, len(ps))
	for _, p := range ps {
		n := sarifNotification{Level: level, Message: sarifMessage{Text: sentence(literal(p.Message))}}
		switch {
		case p.Location != nil && p.Location.File != nil:
			n.Locations = []sarifLocation{v.sarifLocationOf(*p.Location)}
		case p.Path != "":
			n.Locations = []sarifLocation{{PhysicalLocation: sarifPhysical{ArtifactLocation: sarifURI(p.Path)}}}
		}
		out = append(out, n)
	}
	return out
}

// sarifLocationOf gives all four ends of a region: GitHub wants them. A file as
// a whole is its first character.
func (v *view) sarifLocationOf(l diag.Location) sarifLocation {
	name, start, end := v.place(l)
	region := sarifRegionOf(start, end)
	return sarifLocation{PhysicalLocation: sarifPhysical{ArtifactLocation: sarifURI(name), Region: &region}}
}

func sarifRegionOf(start, end source.Position) sarifRegion {
	return sarifRegion{start.Line, start.Column, end.Line, end.Column}
}

// sarifURI refers to a file: relative to the root where it lies below it, which
// is what code-scanning services can show.
func sarifURI(name string) sarifArtifact {
	if strings.HasPrefix(name, "<") && strings.HasSuffix(name, ">") { // "<stdin>"
		name = strings.Trim(name, "<>")
	}
	drive := len(name) > 2 && name[1] == ':' && name[2] == '/'
	if path.IsAbs(name) || drive {
		return sarifArtifact{URI: (&url.URL{Scheme: "file", Path: "/" + strings.TrimPrefix(name, "/")}).String()}
	}
	segments := strings.Split(path.Clean(name), "/")
	for i, s := range segments {
		// A colon in the first segment would make it a scheme.
		segments[i] = strings.ReplaceAll(url.PathEscape(s), ":", "%3A")
	}
	return sarifArtifact{URI: strings.Join(segments, "/"), URIBaseID: sarifRoot}
}
