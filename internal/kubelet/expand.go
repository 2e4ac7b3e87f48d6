// Package kubelet is what the kubelet does with a pod, as pure functions: how it
// expands variables, when its probes kill a container and how, when it starts
// one again, and all of that as a timeline; and when a Job or a rollout gives up.
//
// Unless said otherwise times are in seconds, and sources are files and functions
// of k8s.io/kubernetes 1.37.2. A statement about older versions was read in
// 1.29.6, 1.32.13 or 1.35.4, one about a feature gate in pkg/features.
package kubelet

import "strings"

// Expand replaces the references $(NAME) in text by the values that lookup
// gives, as the kubelet does for env values, command and args
// (k8s.io/kubernetes third_party/forked/golang/expansion, Expand): $$ stands for
// one dollar sign, a reference that lookup does not know and one that is not
// closed stay as they are, and values are not expanded again.
func Expand(text string, lookup func(name string) (value string, ok bool)) string {
	dollar := strings.IndexByte(text, '$')
	if dollar < 0 {
		return text
	}
	var out strings.Builder
	for ; dollar >= 0; dollar = strings.IndexByte(text, '$') {
		out.WriteString(text[:dollar])
		text = text[dollar+1:]
		if text == "" {
			out.WriteByte('$')
			break
		}
		switch c := text[0]; c {
		case '$':
			out.WriteByte('$')
			text = text[1:]
		case '(':
			name, rest, closed := strings.Cut(text[1:], ")")
			if !closed {
				out.WriteString("$(")
				text = text[1:]
				break
			}
			if value, ok := lookup(name); ok {
				out.WriteString(value)
			} else {
				out.WriteString("$(" + name + ")")
			}
			text = rest
		default:
			// The kubelet takes the byte for a character of its own: one that is
			// a part of a longer UTF-8 sequence comes out as two bytes.
			out.WriteByte('$')
			out.WriteRune(rune(c))
			text = text[1:]
		}
	}
	out.WriteString(text)
	return out.String()
}
