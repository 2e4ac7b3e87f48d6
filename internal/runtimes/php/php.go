// Package php says what PHP-FPM makes of its pools, and how much memory PHP lets
// a request take.
package php

import (
	"fmt"
	"math"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/manifest"
)

// A Setting is a line of a configuration file.
type Setting struct {
	Value string
	// From is where the line stands; From.Within is its text.
	From cluster.Origin
}

// A Pool is a pool of workers as far as the files show it.
type Pool struct {
	Name     string
	Settings map[string]Setting
}

// pools matches the directories that PHP-FPM reads its pools from: those of the
// official image, of Debian, Red Hat and Alpine, of Bitnami.
var pools = regexp.MustCompile(`(^|/)(php-fpm\.d|fpm/pool\.d)$`)

// Pools returns the pools that ConfigMaps of the set configure in the container,
// in the order of their names. PHP-FPM reads the files in the order of theirs,
// and what is set again replaces what was set before.
func Pools(c *cluster.Cluster, ctr *manifest.Container) []Pool {
	found := map[string]map[string]Setting{}
	for _, f := range files(c, ctr, pools) {
		if path.Ext(f.Path) != ".conf" {
			continue
		}
		parse(f, func(section, name string, s Setting) {
			if found[section] == nil {
				found[section] = map[string]Setting{}
			}
			found[section][name] = s
		})
	}
	var out []Pool
	for name, settings := range found {
		out = append(out, Pool{name, settings})
	}
	slices.SortFunc(out, func(a, b Pool) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// files returns the files in those directories of the container that match.
func files(c *cluster.Cluster, ctr *manifest.Container, dirs *regexp.Regexp) []cluster.File {
	var found []string
	for i := range ctr.VolumeMounts {
		m := &ctr.VolumeMounts[i]
		for _, dir := range []string{path.Clean(m.MountPath), path.Dir(path.Clean(m.MountPath))} {
			if dirs.MatchString(dir) && !slices.Contains(found, dir) {
				found = append(found, dir)
			}
		}
	}
	slices.Sort(found)
	var out []cluster.File
	for _, dir := range found {
		out = append(out, c.MountedFiles(ctr, dir)...)
	}
	return out
}

// parse hands over the settings of a file, in their order, with the section that
// each stands in.
func parse(f cluster.File, add func(section, name string, s Setting)) {
	section := ""
	for line := range strings.Lines(f.Text) {
		text := strings.TrimSpace(line)
		if name, ok := strings.CutPrefix(text, "["); ok {
			section, _, _ = strings.Cut(name, "]")
			continue
		}
		name, value, ok := strings.Cut(text, "=")
		if !ok || strings.HasPrefix(text, ";") || strings.HasPrefix(text, "#") {
			continue
		}
		value, _, _ = strings.Cut(value, ";")
		from := f.From
		from.Within = text
		add(section, strings.TrimSpace(name), Setting{Value: strings.Trim(strings.TrimSpace(value), `"'`), From: from})
	}
}

// number returns a setting that is a whole number; set is false when it is not
// written, or is filled in by a variable or a template.
func (p Pool) number(name string) (n int, set bool) {
	s, ok := p.Settings[name]
	if !ok || !whole.MatchString(s.Value) {
		return 0, false
	}
	n, err := strconv.Atoi(s.Value)
	return n, err == nil
}

var (
	whole = regexp.MustCompile(`^-?[0-9]+$`)
	// filled matches values that are not known before they are used.
	filled = regexp.MustCompile(`[$%{}@<>]`)
)

// numbers are the settings of a pool that are whole numbers.
var numbers = []string{"pm.max_children", "pm.start_servers", "pm.min_spare_servers", "pm.max_spare_servers", "pm.max_requests"}

// Refused returns the setting with which PHP-FPM does not start, and why
// (fpm_conf.c: fpm_conf_set_integer, fpm_conf_set_pm,
// fpm_conf_process_all_pools); false when what is written passes. What is not
// written may stand in the image.
func (p Pool) Refused() (name, reason string, refused bool) {
	pm, managed := p.Settings["pm"]
	if managed && !filled.MatchString(pm.Value) && !slices.Contains([]string{"static", "dynamic", "ondemand"}, pm.Value) {
		return "pm", "it must be static, dynamic or ondemand", true
	}
	for _, name := range numbers {
		if s, ok := p.Settings[name]; ok && !whole.MatchString(s.Value) && s.Value != "" && !filled.MatchString(s.Value) {
			return name, "it is not a whole number", true
		}
	}
	children, hasChildren := p.number("pm.max_children")
	if hasChildren && children < 1 {
		return "pm.max_children", "it must be 1 or more", true
	}
	if pm.Value != "dynamic" {
		return "", "", false
	}
	least, hasLeast := p.number("pm.min_spare_servers")
	most, hasMost := p.number("pm.max_spare_servers")
	start, hasStart := p.number("pm.start_servers")
	switch {
	case hasLeast && least <= 0:
		return "pm.min_spare_servers", "it must be 1 or more", true
	case hasMost && most <= 0:
		return "pm.max_spare_servers", "it must be 1 or more", true
	case hasChildren && hasLeast && least > children:
		return "pm.min_spare_servers", fmt.Sprintf("it is above pm.max_children, %d", children), true
	case hasChildren && hasMost && most > children:
		return "pm.max_spare_servers", fmt.Sprintf("it is above pm.max_children, %d", children), true
	case hasLeast && hasMost && most < least:
		return "pm.max_spare_servers", fmt.Sprintf("it is below pm.min_spare_servers, %d", least), true
	case hasStart && start > 0 && hasLeast && start < least:
		return "pm.start_servers", fmt.Sprintf("it is below pm.min_spare_servers, %d", least), true
	case hasStart && hasMost && start > most:
		return "pm.start_servers", fmt.Sprintf("it is above pm.max_spare_servers, %d", most), true
	}
	return "", "", false
}

// inis matches the directories that PHP reads its settings from: its own and the
// one of further files.
var inis = regexp.MustCompile(`(^|/)(php|conf\.d|php/[0-9.]+/fpm|php/etc|etc)$`)

// leastMemory is the memory_limit, in bytes, below which PHP keeps to one of its
// own (Zend/zend_alloc.c, zend_set_memory_limit: no less than a chunk, and since
// 8.1 no less than what is in use).
const leastMemory = 2 << 20

// A MemoryLimit is how much memory PHP lets one request take.
type MemoryLimit struct {
	Bytes int64
	// Text is the setting as it is written.
	Text   string
	Secret bool
	From   cluster.Origin
}

// MemoryLimitOf returns the memory_limit that the files or the environment set:
// that of a pool is over all others, then the last file of the settings, then
// the variable PHP_MEMORY_LIMIT, which the image of Nextcloud and others take
// into one (nextcloud/docker, Dockerfile-debian.template).
func MemoryLimitOf(c *cluster.Cluster, ctr *manifest.Container) (MemoryLimit, bool) {
	var found *MemoryLimit
	add := func(text string, secret bool, from cluster.Origin) {
		if n, ok := Bytes(text); ok && n >= leastMemory {
			found = &MemoryLimit{n, text, secret, from}
		}
	}
	if v, ok := c.Environment(ctr).Lookup("PHP_MEMORY_LIMIT"); ok && v.Known {
		add(v.Value, v.Secret, v.From)
	}
	for _, f := range files(c, ctr, inis) {
		if path.Ext(f.Path) != ".ini" {
			continue
		}
		parse(f, func(section, name string, s Setting) {
			if name == "memory_limit" && !strings.HasPrefix(section, "HOST=") && !strings.HasPrefix(section, "PATH=") {
				add(s.Value, false, s.From)
			}
		})
	}
	for _, p := range Pools(c, ctr) {
		for _, name := range []string{"php_value[memory_limit]", "php_admin_value[memory_limit]"} {
			if s, ok := p.Settings[name]; ok {
				add(s.Value, false, s.From)
			}
		}
	}
	if found == nil {
		return MemoryLimit{}, false
	}
	return *found, true
}

// amount matches an amount as PHP's settings take it.
var amount = regexp.MustCompile(`^([0-9]{1,12})([kKmMgG]?)$`)

// Bytes reads an amount (Zend/zend_ini.c, zend_ini_parse_quantity); false for what
// is none or more than any machine has, and for -1, which is no limit.
func Bytes(text string) (int64, bool) {
	m := amount.FindStringSubmatch(text)
	if m == nil {
		return 0, false
	}
	n, _ := strconv.ParseInt(m[1], 10, 64) // twelve digits
	shift := map[string]int{"": 0, "k": 10, "m": 20, "g": 30}[strings.ToLower(m[2])]
	if n > math.MaxInt64>>shift {
		return 0, false
	}
	return n << shift, true
}

// MaxChildren returns how many workers a pool may have at once, false when that is
// not written.
func (p Pool) MaxChildren() (int, bool) {
	n, ok := p.number("pm.max_children")
	return n, ok && n > 0
}
