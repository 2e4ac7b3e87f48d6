package nodejs

import (
	"regexp"
	"strings"
)

// A spec is what Node.js knows of one of its options.
type spec struct {
	// value is true when the option takes a value, in its own word or behind "=".
	value bool
	// number is true for an option of V8 that takes a whole number, behind "=" only.
	number bool
	// v8 is true for an option of V8, which the command line takes in all releases.
	v8 bool
	// line is true for an option that is taken on the command line only.
	line bool
	// since are the first releases that take it, one for each line of releases
	// that does not have it from its start; nil for all.
	since []Release
}

func flags(since []Release, names string, s spec, into map[string]spec) {
	s.since = since
	for name := range strings.FieldsSeq(names) {
		into[name] = s
	}
}

// specs are the options that NODE_OPTIONS takes in some release since 8, without
// "no-": those of process.allowedNodeEnvironmentFlags of Node.js 20.20.2 and of
// the list in the documentation of 24 and 26 (doc/api/cli.md), which also says
// since when.
var specs = func() map[string]spec {
	all := map[string]spec{}
	flags(nil, `--abort-on-uncaught-exception --disallow-code-generation-from-strings --enable-etw-stack-walking
		--huge-max-old-generation-size --interpreted-frames-native-stack --perf-basic-prof --perf-basic-prof-only-functions
		--perf-prof --perf-prof-unwinding-info --prof-process`, spec{v8: true}, all)
	flags(nil, "--max-old-space-size --max-semi-space-size --stack-trace-limit --max-heap-size", spec{v8: true, number: true}, all)
	flags([]Release{{12, 0}}, "--jitless", spec{v8: true}, all)
	flags([]Release{{20, 18}, {22, 3}}, "--expose-gc", spec{v8: true}, all)

	flags(nil, `--addons --async-context-frame --debug-arraybuffer-allocations --deprecation --disable-sigusr1 --enable-fips
		--enable-network-family-autoselection --es-module-specifier-resolution --experimental-abortcontroller --experimental-detect-module --experimental-fetch
		--experimental-global-customevent --experimental-global-navigator --experimental-global-webcrypto --experimental-import-meta-resolve
		--experimental-json-modules --experimental-modules --experimental-network-imports --experimental-permission
		--experimental-repl-await --experimental-report --experimental-require-module --experimental-specifier-resolution --experimental-sqlite
		--experimental-strip-types --experimental-test-isolation --experimental-top-level-await --experimental-vm-modules
		--experimental-wasi-unstable-preview1 --experimental-wasm-modules --experimental-websocket --experimental-worker
		--extra-info-on-fatal-exception --force-async-hooks-checks --force-fips --global-search-paths --http-parser --inspect --inspect-brk
		--napi-modules --network-family-autoselection --node-memory-debug --node-snapshot --openssl-shared-config --pending-deprecation --permission
		--preserve-symlinks --preserve-symlinks-main --report-compact --report-exclude-env --report-exclude-network --report-on-fatalerror
		--report-on-signal --report-uncaught-exception --require-module --strip-types --test-only --test-randomize --throw-deprecation
		--tls-max-v1.2 --tls-max-v1.3 --tls-min-v1.0 --tls-min-v1.1 --tls-min-v1.2 --tls-min-v1.3 --trace-atomics-wait --trace-deprecation
		--trace-env --trace-env-js-stack --trace-env-native-stack --trace-events-enabled --trace-exit --trace-promises --trace-sigint
		--trace-sync-io --trace-tls --trace-uncaught --trace-warnings --track-heap-objects --use-bundled-ca --use-env-proxy --use-openssl-ca
		--use-system-ca --verify-base-objects --warnings --zero-fill-buffers`, spec{}, all)
	flags(nil, `--debug-port --diagnostic-dir --disable-proto --disable-warning --experimental-default-type --experimental-loader
		--experimental-policy --icu-data-dir --inspect-port --inspect-publish-uid --loader --max-old-space-size-percentage
		--network-family-autoselection-attempt-timeout --openssl-config --policy-integrity --redirect-warnings --report-dir --report-directory
		--report-filename --report-signal --require -r --secure-heap --secure-heap-min --snapshot-blob --test-coverage-branches
		--test-coverage-exclude --test-coverage-functions --test-coverage-include --test-coverage-lines --test-global-setup --test-isolation
		--test-name-pattern --test-random-seed --test-reporter --test-reporter-destination --test-rerun-failures --test-shard
		--test-skip-pattern --title --tls-cipher-list --tls-keylog --trace-event-categories --trace-event-file-pattern
		--trace-require-module --unhandled-rejections --use-largepages --v8-pool-size --watch-kill-signal`, spec{value: true}, all)

	flags([]Release{{17, 0}}, "--openssl-legacy-provider", spec{}, all) // 16.17 has it where it is built with OpenSSL 3, which nodejs.org's is not
	flags([]Release{{12, 12}}, "--enable-source-maps --force-context-aware", spec{}, all)
	flags([]Release{{11, 12}}, "--frozen-intrinsics", spec{}, all)
	flags([]Release{{12, 0}}, "--cpu-prof", spec{}, all)
	flags([]Release{{12, 0}}, "--cpu-prof-dir --cpu-prof-interval --cpu-prof-name --heapsnapshot-signal --input-type", spec{value: true}, all)
	flags([]Release{{12, 4}}, "--heap-prof", spec{}, all)
	flags([]Release{{12, 4}}, "--heap-prof-dir --heap-prof-interval --heap-prof-name", spec{value: true}, all)
	flags([]Release{{10, 15}, {11, 6}}, "--max-http-header-size", spec{value: true}, all)
	flags([]Release{{10, 19}, {12, 15}, {13, 4}}, "--insecure-http-parser", spec{}, all)
	flags([]Release{{12, 19}, {14, 9}}, "--conditions -C", spec{value: true}, all)
	flags([]Release{{14, 18}, {15, 1}}, "--heapsnapshot-near-heap-limit", spec{value: true}, all)
	flags([]Release{{14, 18}, {16, 4}}, "--dns-result-order", spec{value: true}, all)
	flags([]Release{{16, 17}, {18, 3}}, "--force-node-api-uncaught-exceptions-policy", spec{}, all)
	flags([]Release{{16, 19}, {18, 11}}, "--watch", spec{}, all)
	flags([]Release{{16, 19}, {18, 11}}, "--watch-path", spec{value: true}, all)
	flags([]Release{{18, 13}, {19, 0}}, "--experimental-shadow-realm", spec{}, all)
	flags([]Release{{18, 13}, {19, 3}}, "--watch-preserve-output", spec{}, all)
	flags([]Release{{18, 18}, {19, 0}}, "--import", spec{value: true}, all)
	flags([]Release{{20, 0}}, "--allow-child-process --allow-worker", spec{}, all)
	flags([]Release{{20, 0}}, "--allow-fs-read --allow-fs-write", spec{value: true}, all)
	flags([]Release{{20, 12}, {21, 6}}, "--allow-addons", spec{}, all)
	flags([]Release{{20, 15}, {22, 2}}, "--disable-wasm-trap-handler --inspect-wait", spec{}, all)
	flags([]Release{{20, 16}, {22, 3}}, "--allow-wasi", spec{}, all)
	flags([]Release{{20, 17}, {22, 0}}, "--experimental-print-required-tla", spec{}, all)
	flags([]Release{{20, 18}, {22, 3}}, "--experimental-eventsource", spec{}, all)
	flags([]Release{{22, 4}}, "--experimental-webstorage", spec{}, all)
	flags([]Release{{22, 4}}, "--localstorage-file", spec{value: true}, all)
	flags([]Release{{22, 7}}, "--experimental-transform-types", spec{}, all)
	flags([]Release{{22, 10}, {23, 0}}, "--entry-url", spec{}, all)
	flags([]Release{{23, 6}}, "--experimental-addon-modules", spec{}, all)
	flags([]Release{{24, 12}}, "--allow-inspector", spec{}, all)
	flags([]Release{{24, 16}}, "--experimental-quic", spec{}, all)
	flags([]Release{{24, 19}}, "--experimental-import-text", spec{}, all)

	flags(nil, `--check -c --completion-bash --debug --debug-brk --expose-internals --help -h --inspect-brk-node --interactive -i --print -p
		--test --v8-options --version -v`, spec{line: true}, all)
	flags(nil, "--eval -e -pe", spec{line: true, value: true}, all)
	flags([]Release{{20, 6}}, "--env-file", spec{line: true}, all)
	flags([]Release{{22, 9}}, "--env-file-if-exists", spec{line: true}, all)
	// Options of V8 that NODE_OPTIONS has never taken, as people write them.
	flags(nil, `--always-compact --gc-global --gc-interval --harmony --initial-heap-size --initial-old-space-size --lazy --max-lazy
		--max-new-space-size --min-semi-space-size --nolazy --nouse-idle-notification --opt --optimize-for-size --prof --sparkplug --stack-size
		--trace-gc --trace-gc-verbose --trace-opt --trace-deopt --use-strict`, spec{v8: true, line: true}, all)
	return all
}()

// nameOf returns the name of an option as Node.js looks it up: without its value,
// with "-" for "_", without "no-" (node_options-inl.h, OptionsParser::Parse).
func nameOf(text string) (name, value string, assigned bool) {
	name = text
	if strings.HasPrefix(text, "--") {
		name, value, assigned = strings.Cut(text, "=")
		name = "--" + strings.ReplaceAll(name[2:], "_", "-")
		if bare, ok := strings.CutPrefix(name, "--no-"); ok {
			name = "--" + bare
		}
	}
	return name, value, assigned
}

// A word is a word of NODE_OPTIONS, and the text that it was written as.
type word struct{ text, raw string }

// split cuts NODE_OPTIONS into words (node_options.cc, ParseNodeOptionsEnvVar,
// since Node.js 12): at spaces only, not at tabs and line ends; in double quotes
// a space is one of the word and a backslash takes the next character as it is.
// fault is what Node.js says of a value that it refuses as a whole.
func split(value string) (words []word, fault string) {
	var text []byte
	start, quoted := -1, false
	end := func(at int) {
		if start >= 0 {
			words = append(words, word{string(text), value[start:at]})
		}
		start, text = -1, nil
	}
	for i := 0; i < len(value); i++ {
		c := value[i]
		switch {
		case c == ' ' && !quoted:
			end(i)
			continue
		case c == '\\' && quoted:
			if i+1 == len(value) {
				return nil, "invalid escape"
			}
		}
		if start < 0 {
			start = i
		}
		switch {
		case c == '"':
			quoted = !quoted
		case c == '\\' && quoted:
			i++
			text = append(text, value[i])
		default:
			text = append(text, c)
		}
	}
	if quoted {
		return nil, "unterminated string"
	}
	end(len(value))
	return words, ""
}

// number matches what V8 takes as a whole number of its size_t and int flags
// (flags.cc, TryParseUnsigned): what strtoull reads to its end.
var number = regexp.MustCompile(`^[ \t\n\v\f\r]*[+-]?[0-9]*$`)
