package loader

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"github.com/crashlint/crashlint/internal/source"
)

// maxFileSize bounds what is read of one file. The largest manifests of public
// projects are around 12 MB.
const maxFileSize = 64 << 20

// readFile reads a file as UTF-8 text. Pipes, such as the /dev/fd/63 of a shell's
// <(command), are read only where they are named: opening one may wait for ever.
func readFile(name, display string, named bool) (*source.File, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, cause(err)
	}
	pipe := info.Mode()&(os.ModeNamedPipe|os.ModeCharDevice) != 0
	if !info.Mode().IsRegular() && !(named && pipe) {
		return nil, errors.New("is not a regular file")
	}
	if info.Size() > maxFileSize {
		return nil, tooLarge(info.Size())
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, cause(err)
	}
	defer f.Close()
	return readText(f, display)
}

// readText reads everything from r as UTF-8 text.
func readText(r io.Reader, display string) (*source.File, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxFileSize+1))
	if err != nil {
		return nil, cause(err)
	}
	if len(b) > maxFileSize {
		return nil, tooLarge(int64(len(b)))
	}
	text, err := decodeText(b)
	if err != nil {
		return nil, err
	}
	return source.NewFile(display, text), nil
}

func tooLarge(size int64) error {
	return fmt.Errorf("has %d MB; files of up to %d MB are read: split it, or leave it out with exclude", size>>20, maxFileSize>>20)
}

// cause strips the operation and path that the message repeats otherwise.
func cause(err error) error {
	if pe, ok := errors.AsType[*os.PathError](err); ok {
		return pe.Err
	}
	return err
}

// decodeText turns UTF-8 with or without, and UTF-16 with a byte order mark
// into UTF-8 without one. YAML streams begin with a mark or in ASCII (YAML 1.2,
// 5.2), so UTF-16 without a mark shows in its zero bytes.
func decodeText(b []byte) (string, error) {
	endian, utf16 := unicode.BigEndian, false
	switch {
	case len(b) >= 2 && b[0] == 0xFF && b[1] == 0xFE, len(b) >= 2 && b[0] != 0 && b[1] == 0 && len(b)%2 == 0:
		endian, utf16 = unicode.LittleEndian, true
	case len(b) >= 2 && b[0] == 0xFE && b[1] == 0xFF, len(b) >= 2 && b[0] == 0 && b[1] != 0 && len(b)%2 == 0:
		utf16 = true
	}
	if utf16 {
		out, _, err := transform.Bytes(unicode.UTF16(endian, unicode.UseBOM).NewDecoder(), b)
		if err != nil {
			out, _, err = transform.Bytes(unicode.UTF16(endian, unicode.IgnoreBOM).NewDecoder(), b)
		}
		if err != nil {
			return "", fmt.Errorf("is not valid UTF-16: %w", err)
		}
		return strings.TrimPrefix(string(out), "\ufeff"), nil
	}
	text := strings.TrimPrefix(string(b), "\ufeff")
	if !utf8.ValidString(text) {
		at := 0
		for i, r := range text {
			if r == utf8.RuneError && !strings.HasPrefix(text[i:], "\ufffd") {
				at = i
				break
			}
		}
		return "", fmt.Errorf("is not UTF-8 text: byte 0x%02x in line %d", text[at], 1+strings.Count(text[:at], "\n"))
	}
	return text, nil
}
