package validate

// streamMain is what nginx keeps of the stream block.
type streamMain struct {
	block     *block
	variables variables
}
