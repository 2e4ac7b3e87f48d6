package report

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"unicode/utf16"

	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/source"
)

// fingerprint identifies a diagnostic by what it is about and not by where it
// stands or how it is worded: it survives moved lines, renamed files and new
// versions of crashlint. The same fault of the same field twice (the object in
// dev/ and in prod/, two flags of one value) has the same fingerprint.
func fingerprint(d *diag.Diagnostic) string {
	h := sha256.New()
	about := []string{d.Rule, d.Object.Kind, d.Object.Namespace, d.Object.Name, d.Path}
	if d.Object == (diag.Object{}) && d.Location.File != nil {
		about = append(about, d.Location.File.Path)
	}
	for _, s := range about {
		_, _ = h.Write([]byte(s))
		_, _ = h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// GitHub's code scanning recognizes an alert in a later version of a file by a
// hash of the text that its line begins with: github/codeql-action,
// src/fingerprints.ts. It takes the hash from the report when it stands there,
// so it must be the one that GitHub would compute.
const (
	hashBase   = 37
	hashWindow = 100    // UTF-16 units that are neither blank nor tab
	endOfFile  = 0xffff // the unit that stands for the end, followed by zeros
)

// lineHashes holds GitHub's hash of each line of a file and how many lines up
// to it have the same.
type lineHashes struct {
	hash  []uint64
	count []int
}

// of returns the hash of line n, from 1.
func (l *lineHashes) of(n int) string {
	n = max(1, min(n, len(l.hash))) - 1
	return strconv.FormatUint(l.hash[n], 16) + ":" + strconv.Itoa(l.count[n])
}

// newLineHashes computes the hashes of a file. The hash of the units u0, u1 …
// u99 from a line's start on is their polynomial in hashBase, u99 with the
// exponent 0, modulo 2^64. Two polynomials over all units before the line and
// before the end of its window give it by subtraction.
func newLineHashes(f *source.File) *lineHashes {
	units, starts := hashedUnits(f.Text)
	power := uint64(1)
	for range hashWindow {
		power *= hashBase
	}
	at := func(i int) uint64 {
		if i < len(units) {
			return uint64(units[i])
		}
		return 0
	}
	ahead := uint64(0)
	for i := range hashWindow {
		ahead = ahead*hashBase + at(i)
	}
	l := &lineHashes{hash: make([]uint64, 0, len(starts)), count: make([]int, 0, len(starts))}
	seen := make(map[uint64]int, len(starts))
	behind := uint64(0)
	i := 0
	for _, start := range starts {
		for ; i < start; i++ {
			behind = behind*hashBase + at(i)
			ahead = ahead*hashBase + at(i+hashWindow)
		}
		hash := ahead - behind*power
		seen[hash]++
		l.hash = append(l.hash, hash)
		l.count = append(l.count, seen[hash])
	}
	return l
}

// hashedUnits returns the UTF-16 units that are hashed and the index of the
// first one of each line. A carriage return ends a line too, alone or with the
// line feed right behind it.
func hashedUnits(text string) (units []uint16, starts []int) {
	units = make([]uint16, 0, len(text)+1)
	newLine, afterReturn := true, false
	add := func(unit uint16) {
		if newLine {
			starts = append(starts, len(units))
		}
		newLine = unit == '\n'
		units = append(units, unit)
	}
	for _, r := range text {
		feedOfReturn := afterReturn && r == '\n'
		afterReturn = r == '\r'
		switch {
		case r == ' ', r == '\t', feedOfReturn:
		case r == '\r':
			add('\n')
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			add(uint16(high))
			add(uint16(low))
		default:
			add(uint16(r))
		}
	}
	add(endOfFile)
	return units, starts
}
