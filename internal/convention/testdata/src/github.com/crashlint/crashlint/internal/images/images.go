package images

import (
	"errors"
	"log"
	"os"
	"regexp"
)

// parse fails quietly.
func parse(s string) error {
	if s == "" {
		panic("empty") // want `panic in parse, whose comment does not say that it panics`
	}
	regexp.MustCompile("^a$")
	regexp.MustCompile(s) // want `regexp.MustCompile panics on input that it does not like`
	func() {
		os.Exit(1)          // want `os.Exit ends the process: only main does`
		log.Fatalf("%s", s) // want `log.Fatalf ends the process: only main does`
		log.Panicln(s)      // want `log.Panicln panics`
	}()
	return errors.New(s)
}

// step panics on what is not a step, a mistake of the programmer.
func step(v any) {
	panic("images: not a step")
}
