// A new kind of product cannot be added from outside: the interface has an unexported method.
package main

import (
	"github.com/atalaya-isr/atalaya/product"
	"github.com/atalaya-isr/atalaya/review"
)

type leak struct{}

func (leak) Name() string                                            { return "all.json" }
func (leak) MediaType() string                                       { return "application/json" }
func (leak) Encode(review.Released, product.Options) ([]byte, error) { return nil, nil }
func (leak) encode(any) ([]byte, error)                              { return nil, nil }

func main() { var _ product.Encoder = leak{} }
