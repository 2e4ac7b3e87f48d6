package picture

import (
	"bytes"
	"encoding/base64"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestPage looks at the page in a real browser. With CRASHLINT_SCREENSHOTS=DIR in
// the environment it leaves pictures of it there.
func TestPage(t *testing.T) {
	list := testManifests(t)
	var page bytes.Buffer
	if err := Write(&page, "html", list, Options{Version: "0"}); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "page.html")
	if err := os.WriteFile(file, page.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	b := chromium(t)
	b.screen(1280, 900, "light")
	b.open(file)

	t.Run("network", func(t *testing.T) {
		for _, c := range b.complaints() {
			if c != "asks for file://"+file && !strings.HasPrefix(c, "asks for data:") {
				t.Error(c)
			}
		}
	})
	t.Run("keyboard", func(t *testing.T) { keyboard(t, b) })
	for _, width := range []int{360, 1280} {
		for _, scheme := range []string{"light", "dark"} {
			t.Run(scheme+" "+map[int]string{360: "phone", 1280: "desk"}[width], func(t *testing.T) {
				b.t = t
				b.screen(width, 900, scheme)
				if got := evaluate[string](b, `matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"`); got != scheme {
					t.Fatalf("the page is %s", got)
				}
				shoot(b, scheme, width, list)
				evaluate[bool](b, `document.querySelectorAll("details").forEach(d => d.open = true)`)
				if got := evaluate[int](b, "document.documentElement.scrollWidth"); got > width {
					t.Errorf("the page is %d px wide", got)
				}
				for _, c := range evaluate[[]string](b, inside) {
					t.Error(c)
				}
				for _, c := range evaluate[[]string](b, contrast) {
					t.Error(c)
				}
				named(t, b, len(list))
				evaluate[bool](b, `document.querySelectorAll("details").forEach(d => d.open = false)`)
			})
		}
	}
	b.t = t
}

// keyboard walks through the page with the Tab key and works what it comes upon.
func keyboard(t *testing.T, b *browser) {
	b.t = t
	const describe = `(e => e.tagName.toLowerCase() + " " + (e.getAttribute("href") || e.closest("section")?.id))`
	want := evaluate[[]string](b, `[...document.querySelectorAll("a, summary")].map(`+describe+`)`)
	focusable := evaluate[[]string](b, `[...document.querySelectorAll("*")].filter(e => e.tabIndex >= 0).map(`+describe+`)`)
	if !slices.Equal(want, focusable) {
		t.Errorf("more than links and summaries takes the focus: %q", focusable)
	}
	var got []string
	for range want {
		b.press("Tab", 9, "")
		got = append(got, evaluate[string](b, describe+`(document.activeElement)`))
	}
	if !slices.Equal(got, want) {
		t.Errorf("tab goes to %q, want %q", got, want)
	}
	if !evaluate[bool](b, `getComputedStyle(document.activeElement).outlineStyle !== "none"`) {
		t.Error("the focus is not to be seen")
	}
	b.press("Enter", 13, "\r")
	if !evaluate[bool](b, `document.activeElement.closest("details").open`) {
		t.Error("Enter does not open the numbers")
	}
	b.press("Enter", 13, "\r")
	evaluate[bool](b, `document.querySelector("nav a").focus()`)
	b.press("Enter", 13, "\r")
	if got := evaluate[string](b, "location.hash"); got != "#w1" {
		t.Errorf("the first link of the index leads to %q", got)
	}
}

// named checks that what a screen reader is told of the pictures says which.
func named(t *testing.T, b *browser, workloads int) {
	var tree struct {
		Nodes []struct {
			Ignored          bool
			Role, Name       struct{ Value any }
			Description      struct{ Value any }
			BackendDOMNodeID int
		}
	}
	b.call("Accessibility.getFullAXTree", nil, &tree)
	found := map[string]int{}
	for _, n := range tree.Nodes {
		role, _ := n.Role.Value.(string)
		if n.Ignored || !slices.Contains([]string{"figure", "image", "img", "region", "navigation"}, role) {
			continue
		}
		found[role]++
		if name, _ := n.Name.Value.(string); name == "" {
			t.Errorf("a %s has no name", role)
		}
		if text, _ := n.Description.Value.(string); role == "image" && text == "" {
			t.Errorf("the picture %q has no description", n.Name.Value)
		}
	}
	if found["figure"] != workloads || found["image"]+found["img"] != workloads || found["region"] != workloads || found["navigation"] != 1 {
		t.Errorf("for %d workloads there are %v", workloads, found)
	}
}

// inside complains of texts that stick out of their picture, or run into each
// other.
const inside = `(() => {
	const out = [];
	for (const svg of document.querySelectorAll("svg.figure")) {
		const box = svg.getBoundingClientRect();
		if (box.width === 0) continue;
		const seen = [];
		for (const text of svg.querySelectorAll("text")) {
			const r = text.getBoundingClientRect();
			if (r.left < box.left - 1 || r.right > box.right + 1 || r.bottom > box.bottom + 1) out.push(svg.querySelector("title").textContent + ": sticks out: " + text.textContent);
			for (const [other, o] of seen)
				if (r.left < o.right - 1 && o.left < r.right - 1 && r.top < o.bottom - 4 && o.top < r.bottom - 4) out.push(svg.querySelector("title").textContent + ": " + text.textContent + " runs into " + other);
			seen.push([text.textContent, r]);
		}
	}
	return out;
})()`

// contrast complains of text with a contrast below 4.5, and of edges of the
// phases below 3 (WCAG 2.2, 1.4.3 and 1.4.11).
const contrast = `(() => {
	const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
	const rgb = color => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1); return [...canvas.getImageData(0, 0, 1, 1).data]; };
	const light = c => { const [r, g, b] = c.map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
	const ratio = (a, b) => { const [x, y] = [light(rgb(a)), light(rgb(b))]; return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05); };
	const ground = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if (rgb(c)[3] === 255) return c; } return "white"; };
	const out = new Set();
	const check = (what, color, against, least) => { const r = ratio(color, against); if (r < least) out.add(what + ": " + color + " on " + against + " is " + r.toFixed(2)); };
	for (const e of document.body.querySelectorAll("*")) {
		if (e.getBoundingClientRect().width === 0) continue;
		const s = getComputedStyle(e);
		if (e.tagName === "text") {
			const under = e.classList.contains("inside") ? getComputedStyle(e.previousElementSibling).fill : "none";
			check("text " + e.textContent, s.fill, under === "none" ? ground(e) : under, 4.5);
		} else if (e.tagName === "rect" && s.stroke !== "none") check("edge of " + e.getAttribute("class"), s.stroke, ground(e), 3);
		else if ([...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) && !e.closest("svg")) check(e.tagName + " " + e.textContent.slice(0, 40), s.color, ground(e), 4.5);
	}
	return [...out];
})()`

// shoot leaves a picture of the whole page where the environment asks for it.
func shoot(b *browser, scheme string, width int, _ any) {
	dir := os.Getenv("CRASHLINT_SCREENSHOTS")
	if dir == "" {
		return
	}
	var shot struct{ Data string }
	b.call("Page.captureScreenshot", map[string]any{"format": "png", "captureBeyondViewport": true, "clip": map[string]any{
		"x": 0, "y": 0, "width": width, "height": evaluate[int](b, "document.documentElement.scrollHeight"), "scale": 1,
	}}, &shot)
	png, err := base64.StdEncoding.DecodeString(shot.Data)
	if err != nil {
		b.t.Fatal(err)
	}
	name := filepath.Join(dir, scheme+map[int]string{360: "-phone", 1280: ""}[width]+".png")
	if err := os.WriteFile(name, png, 0o600); err != nil {
		b.t.Fatal(err)
	}
}
