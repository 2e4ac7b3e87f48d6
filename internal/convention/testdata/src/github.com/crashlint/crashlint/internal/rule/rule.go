package rule

type Rule struct {
	ID    string
	Title string
}

type Family struct {
	Name  string
	Rules []*Rule
}
