package jvm

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// A Refusal is an option with which some releases of Java, or all, do not start.
type Refusal struct {
	Option Option
	// Reason says what is wrong with it.
	Reason string
	// From and To are the first and the last feature release that refuse it.
	From, To int
	// Update is the first update of Java 8 that takes it, 0 when none does or all
	// refuse it.
	Update int
	// Likely is true for what the container itself could have mended before it
	// starts its JVM.
	Likely bool
	// Meant is the option that was meant, empty where that is not plain to see.
	Meant string
}

// Holds reports whether the release refuses the option. Java 8 does not read
// JDK_JAVA_OPTIONS.
func (r Refusal) Holds(release Release) bool {
	switch feature := release.Feature; {
	case feature == Oldest && r.Option.Carrier == "JDK_JAVA_OPTIONS":
		return false
	case feature == Oldest && r.Update > 0:
		return release.Update > 0 && release.Update < r.Update
	default:
		return r.From <= feature && feature <= r.To
	}
}

// Everywhere reports whether every release refuses the option.
func (r Refusal) Everywhere() bool { return r.From <= Oldest && r.To >= Newest }

// Releases says which releases refuse the option: "Java 9 and later".
func (r Refusal) Releases() string {
	switch {
	case r.Update > 0:
		return fmt.Sprintf("Java 8 before 8u%d", r.Update)
	case r.Everywhere():
		return "every Java"
	case r.To >= Newest:
		return fmt.Sprintf("Java %d and later", r.From)
	case r.From <= Oldest:
		return fmt.Sprintf("Java %d and earlier", r.To)
	case r.From == r.To:
		return fmt.Sprintf("Java %d", r.From)
	}
	return fmt.Sprintf("Java %d to %d", r.From, r.To)
}

// Refused returns the options with which HotSpot does not start, in the order in
// which they stand: what Parse refuses, what some releases do not know or have
// locked, and what names a file that is not there.
func (j *JVM) Refused() []Refusal {
	out := slices.Clone(j.Flags.Refused)
	out = append(out, slices.DeleteFunc(refusedFlags(j.Options), func(r Refusal) bool {
		return j.graal && strings.Contains(r.Option.Text, "JVMCI")
	})...)
	out = append(out, refusedWords(j.Options)...)
	out = append(out, j.absent...)
	for i := range out {
		if out[i].Option.Secret {
			out[i].Reason, out[i].Meant = "it is malformed, unknown to the release or locked", "" // more would quote the Secret
		}
	}
	slices.SortStableFunc(out, func(a, b Refusal) int { return cmp.Compare(a.Option.position, b.Option.position) })
	return out
}

// refusedFlags looks the -XX: flags up in the table. With
// -XX:+IgnoreUnrecognizedVMOptions the JVM passes over what it does not know,
// wherever it stands, but not over what is locked (arguments.cpp,
// process_argument).
func refusedFlags(options []Option) []Refusal {
	ignores := slices.ContainsFunc(options, func(o Option) bool {
		return opaque(o) || o.Text == "-XX:+IgnoreUnrecognizedVMOptions"
	})
	var out []Refusal
	experimental, diagnostic := false, false
	for i, o := range options {
		o.position = i
		if opaque(o) {
			experimental, diagnostic = true, true // it may hold the keys
			continue
		}
		text, ok := strings.CutPrefix(o.Text, "-XX:")
		if !ok || strings.HasPrefix(text, "#") {
			continue
		}
		switch text {
		case "+UnlockExperimentalVMOptions", "-UnlockExperimentalVMOptions":
			experimental = text[0] == '+'
		case "+UnlockDiagnosticVMOptions", "-UnlockDiagnosticVMOptions":
			diagnostic = text[0] == '+'
		}
		_, name, value, _ := splitFlag(text)
		flag, ok := lookupFlag(name)
		if !ok {
			if right, ok := otherCase(name); ok && !ignores {
				out = append(out, Refusal{Option: o, From: Oldest, To: Newest, Reason: "no Java has a flag of this name, but " + right,
					Meant: strings.Replace(o.Text, name, right, 1)})
			}
			continue
		}
		add := func(is string, reason func(span) string) {
			for _, s := range flag.where(is) {
				out = append(out, Refusal{Option: o, Reason: reason(s), From: s.from, To: s.to})
			}
		}
		if !ignores {
			add("-", flag.why)
			if update := updates8[name]; update > 0 {
				out = append(out, Refusal{Option: o, From: Oldest, To: Oldest, Update: update,
					Reason: fmt.Sprintf("8u%d added the flag", update)})
			}
		}
		key := strings.HasPrefix(name, "Unlock")
		if !experimental && !key {
			add("x", locked("experimental", "Experimental"))
		}
		if !diagnostic && !key {
			add("d", locked("diagnostic", "Diagnostic"))
		}
		if flag.kind == 'f' && value != "" && strings.Trim(value, "0123456789") == "" {
			out = append(out, Refusal{Option: o, From: Oldest, To: wholePercent - 1, Meant: o.Text + ".0",
				Reason: "the number needs a decimal point, as in " + value + ".0"})
		}
	}
	return out
}

func locked(what, key string) func(span) string {
	reason := fmt.Sprintf("the flag is %s and -XX:+Unlock%sVMOptions does not stand before it", what, key)
	return func(span) string { return reason }
}

// updates8 holds flags that came to Java 8 with an update, and which: 8u92
// (apache/cassandra, conf/cassandra-env.sh), 8u131 (docker-library/docs#900), 8u191
// (alibaba/dragonwell8#441; JDK-8146115).
var updates8 = map[string]int{
	"ExitOnOutOfMemoryError": 92, "CrashOnOutOfMemoryError": 92,
	"UseCGroupMemoryLimitForHeap": 131,
	"MaxRAMPercentage":            191, "MinRAMPercentage": 191, "InitialRAMPercentage": 191,
	"UseContainerSupport": 191, "ActiveProcessorCount": 191,
}

// opaque reports whether the option may stand for others that the files do not
// show.
func opaque(o Option) bool {
	return !o.Known || o.argumentFile() || strings.HasPrefix(o.Text, "-XX:VMOptionsFile=") || strings.HasPrefix(o.Text, "-XX:Flags=")
}

// argumentFile reports an @file, which the launcher reads since Java 9 and puts in
// its place.
func (o Option) argumentFile() bool { return strings.HasPrefix(o.Text, "@") && !o.readByVM() }

// readByVM reports whether the virtual machine takes the option out of a variable
// itself, past the launcher.
func (o Option) readByVM() bool {
	return o.Carrier == "JAVA_TOOL_OPTIONS" || o.Carrier == "_JAVA_OPTIONS"
}

// wholePercent is the first release all of whose updates read "75" where they want
// a fraction; Java 11 learnt it in an update (JDK-8219312; set_numeric_flag in
// arguments.cpp of jdk10 and jdk11u), 8u412 has not.
const wholePercent = 11

var (
	// misspelt is a short option whose letters have the wrong case.
	misspelt = regexp.MustCompile(`^-[xX]([mM][xXsSnN]|[sS][sS])[0-9]|^-[xX][xX]:`)
	spelt    = regexp.MustCompile(`^-X(m[xsn]|ss|X:)`)
	number   = regexp.MustCompile(`^-[0-9]+$`)
	// ofLauncher are options of the java launcher, of which the virtual machine
	// knows nothing (libjli/java.c, ParseArguments and SelectVersion).
	ofLauncher = regexp.MustCompile(`^(-server|-client|-d32|-d64|-jar|-cp|-classpath|--class-path(=.*)?|-p|-m|--module|-version|--version|` +
		`-showversion|--show-version|-fullversion|--full-version|-help|--help|-h|-\?|-X|--help-extra|-J.*|-splash:.*|-XshowSettings(:.*)?|` +
		`--dry-run|--validate-modules|--list-modules|-d|--describe-module(=.*)?|--source)$`)
	// pairs take their operand as the next word from the launcher's hand only; the
	// virtual machine wants "=".
	pairs = regexp.MustCompile(`^--(module-path|upgrade-module-path|add-modules|limit-modules|add-exports|add-opens|add-reads|patch-module|enable-native-access)$`)
	// terminal are the options that JDK_JAVA_OPTIONS may not hold (libjli/args.c,
	// isTerminalOpt).
	terminal = regexp.MustCompile(`^(-jar|-m|--module|--dry-run|-h|-\?|-help|--help|-X|--help-extra|-version|--version|-fullversion|--full-version)$`)
)

// words are options without -XX: that some releases refuse. They were tried on Java
// 17 and 25; the rest is of JEP 261 (modules), JEP 220 (no endorsed or extension
// directories, no boot class path), JEP 158 (-Xlog), JEP 214 (-Xincgc), JEP 486 (no
// security manager), JEP 12 and JEP 454.
var words = []struct {
	*regexp.Regexp
	span
	reason string
}{
	{regexp.MustCompile(`^-Xlog(:|$)`), span{Oldest, 8}, "Java 9 added the option"},
	{regexp.MustCompile(`^--(module-path|upgrade-module-path|add-modules|limit-modules|add-exports|add-opens|add-reads|patch-module|illegal-access)(=|$)`),
		span{Oldest, 8}, "Java 9 added the option"},
	{regexp.MustCompile(`^--enable-preview$`), span{Oldest, 10}, "Java 11 added the option"},
	{regexp.MustCompile(`^--enable-native-access(=|$)`), span{Oldest, 15}, "the option came later"},
	{regexp.MustCompile(`^-Djava\.ext\.dirs=.`), span{9, Newest}, "Java 9 removed the extension directories"},
	{regexp.MustCompile(`^-Djava\.endorsed\.dirs=.`), span{9, Newest}, "Java 9 removed the endorsed directories"},
	{regexp.MustCompile(`^-Xbootclasspath(/p)?:`), span{9, Newest}, "Java 9 removed the option"},
	{regexp.MustCompile(`^-Xincgc$`), span{9, Newest}, "Java 9 removed the option"},
	{regexp.MustCompile(`^-d(32|64)$`), span{10, Newest}, "Java 10 removed the option"},
	{regexp.MustCompile(`^-X(future|noagent)$`), span{25, Newest}, "the option is gone"},
	{regexp.MustCompile(`^-Djava\.security\.manager(=(allow|default|[A-Za-z_$][\w$]*(\.[\w$]+)+)?)?$`), span{24, Newest}, "Java 24 removed the security manager"},
}

// refusedWords looks at everything but -XX: flags.
func refusedWords(options []Option) []Refusal {
	var out []Refusal
	operand := false
	for i, o := range options {
		o.position = i
		refuse := func(reason string, in span, meant string) {
			out = append(out, Refusal{Option: o, Reason: reason, From: in.from, To: in.to, Meant: meant})
		}
		all := span{Oldest, Newest}
		wasOperand := operand
		operand = false
		if opaque(o) || o.Bare != "" || strings.HasPrefix(o.Text, "-XX:") {
			continue
		}
		for _, w := range words {
			if w.MatchString(o.Text) {
				refuse(w.reason, w.span, "")
			}
		}
		switch {
		case misspelt.MatchString(o.Text) && !spelt.MatchString(o.Text):
			refuse("the JVM tells capitals from small letters", all, respelt(o.Text))
		case number.MatchString(o.Text):
			refuse("there is no such option; quotes do not hold words together in a variable that a shell expands", all, "")
		case wasOperand && !strings.HasPrefix(o.Text, "-"):
		case o.readByVM() && !strings.HasPrefix(o.Text, "-"):
			refuse("it is no option, and the JVM takes nothing else from "+o.Carrier, all, "")
		case o.readByVM() && ofLauncher.MatchString(o.Text):
			refuse("the option is the launcher's, and the JVM that reads "+o.Carrier+" does not know it", all, "")
		case o.readByVM() && pairs.MatchString(o.Text):
			refuse("the JVM that reads "+o.Carrier+" wants the value behind =, not as the next word", all, o.Text+"=")
			operand = true
		case o.Carrier == "JDK_JAVA_OPTIONS" && strings.HasPrefix(o.Text, "-J"):
			refuse("-J is for the tools that start a java", span{9, Newest}, "")
		case o.Carrier == "JDK_JAVA_OPTIONS" && terminal.MatchString(o.Text):
			refuse("JDK_JAVA_OPTIONS may not hold it", span{9, Newest}, "")
		case o.Carrier == "JDK_JAVA_OPTIONS" && !strings.HasPrefix(o.Text, "-"):
			refuse("it is no option, and the launcher takes no main class from JDK_JAVA_OPTIONS", span{9, Newest}, "")
		case o.Carrier == "JDK_JAVA_OPTIONS":
			operand = takesOperand(o.Text)
		}
	}
	return out
}

// respelt gives a short option the letters that it wants.
func respelt(text string) string {
	if strings.EqualFold(text[:4], "-xx:") {
		return "-XX:" + text[4:]
	}
	return "-X" + strings.ToLower(text[2:4]) + text[4:]
}

// takesOperand reports an option of the launcher whose operand is the next word
// (libjli/java.c, IsWhiteSpaceOption).
func takesOperand(text string) bool {
	return text == "-cp" || text == "-classpath" || text == "--class-path" || text == "-p" || text == "-d" || text == "--describe-module" ||
		text == "--source" || pairs.MatchString(text)
}
