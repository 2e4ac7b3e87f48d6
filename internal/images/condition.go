package images

import (
	"fmt"
	"strconv"
	"strings"
)

// A Condition is what facts say of a variable: NAME, that it is set to
// something; NAME=yes|true, that it is set to one of these, in small or in
// capital letters; NAME<8, that it is set to fewer characters than that.
type Condition struct {
	// Name is the variable's name.
	Name string
	// Values are those of which it must have one; none: any.
	Values []string
	// Under is the number of characters that it must stay below; 0: none.
	Under int
}

// ParseCondition reads a condition.
func ParseCondition(text string) (Condition, error) {
	end := strings.IndexAny(text, "=<")
	if end < 0 {
		end = len(text)
	}
	c := Condition{Name: text[:end]}
	if c.Name == "" {
		return c, fmt.Errorf("%q names no variable", text)
	}
	switch rest := text[end:]; {
	case strings.HasPrefix(rest, "="):
		c.Values = strings.Split(rest[1:], "|")
	case strings.HasPrefix(rest, "<"):
		n, err := strconv.Atoi(rest[1:])
		if err != nil || n < 1 {
			return c, fmt.Errorf("%q: want a number of characters behind <", text)
		}
		c.Under = n
	}
	return c, nil
}

// Holds reports whether it does for a variable with that value.
func (c Condition) Holds(value string) bool {
	if c.Under > 0 {
		return value != "" && len(value) < c.Under
	}
	for _, want := range c.Values {
		if strings.EqualFold(value, want) {
			return true
		}
	}
	return len(c.Values) == 0 && value != ""
}

// String returns the variable, with the value to write where one is asked for.
func (c Condition) String() string {
	if len(c.Values) == 0 {
		return c.Name
	}
	return c.Name + "=" + c.Values[0]
}
