// Package people decides who somebody is, and how often they may try: passwords, codes of
// a second factor, one-time links, tokens, devices and limits. It knows nothing of HTTP.
package people
