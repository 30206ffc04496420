package nginxconf

// Terminated tells whether the ';' or '{' that ends the directive's words is
// there. Where it is not, Parse reports that, and nginx never comes to look at
// the directive itself.
func (d *Directive) Terminated() bool {
	if d.made != nil {
		return d.made.term != ""
	}
	return d.n&noTerm == 0
}
