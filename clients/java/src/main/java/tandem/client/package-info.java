/**
 * The thin layer over Tandem's stubs (package {@code tandem.v1}): a client with its deadlines and
 * retries, sessions that read what they wrote, lists as iterators, watches that go on after an
 * interruption, and errors as types. Begin at {@link tandem.client.TandemClient}.
 */
package tandem.client;
