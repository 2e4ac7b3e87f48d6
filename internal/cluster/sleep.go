package cluster

import "strconv"

// Certain reports a command that the script surely comes to and waits for.
func (c Command) Certain() bool {
	return len(c.Words) > 0 && !c.Words[0].Secret && !c.Conditional && !c.Repeated && !c.Background
}

// Slept returns how many seconds those of the commands sleep that a script
// surely comes to.
func Slept(commands []Command) int64 {
	var total int64
	for _, c := range commands {
		if c.Certain() && c.Name() == "sleep" {
			total += sleepSeconds(c.Words[1:])
		}
	}
	return total
}

// sleepSeconds reads the operands of sleep(1), 0 where they are not known or a
// Secret's. Fractions are cut off.
func sleepSeconds(words []Word) int64 {
	units := map[byte]int64{'s': 1, 'm': 60, 'h': 3600, 'd': 24 * 3600}
	var total int64
	for _, w := range words {
		text, unit := w.Value, int64(1)
		if n := len(text); n > 0 && units[text[n-1]] > 0 {
			text, unit = text[:n-1], units[text[n-1]]
		}
		n, err := strconv.ParseFloat(text, 64)
		if err != nil || !w.Known || w.Secret || !(n >= 0 && n <= 1e9) {
			return 0
		}
		total += int64(n) * unit
	}
	return total
}
