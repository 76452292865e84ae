// A type of the same shape cannot be converted: its field belongs to another package.
package main

import (
	"github.com/atalaya-isr/atalaya/product"
	"github.com/atalaya-isr/atalaya/review"
)

type lookalike struct{ sealed *struct{ record []byte } }

func main() { _, _ = product.Build(review.Released(lookalike{}), product.Options{}) }
