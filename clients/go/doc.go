// Package tandem is a client of Tandem, a service that takes commands on one side and answers
// queries on the other.
//
// A [Client] knows where the services are. A [Session] of it calls them, one method for each call
// of the contract, and makes sure that what was written in it is in what is read in it next,
// whichever instance answers. Errors are [*Error].
//
// The stubs that the contract is made of are in package tandemv1 (tandem.example/client/tandem/v1);
// [Client.Commands] and [Client.Queries] are those stubs on the client's connections.
package tandem

// Version is the version of this client, which the services are told as part of the user agent.
const Version = "0.1.0"
