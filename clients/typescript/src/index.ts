// What a program that gets its client from elsewhere needs: types, errors and the contract.
export type { Client, ClientOptions } from "./client.js";
export {
  CanceledError,
  ConfigurationError,
  DeadlineExceededError,
  FailedPreconditionError,
  InvalidArgumentError,
  NotFoundError,
  TandemError,
  UnavailableError,
  type Violation,
} from "./errors.js";
export * from "./gen/tandem/v1/command_pb.js";
export * from "./gen/tandem/v1/model_pb.js";
export * from "./gen/tandem/v1/query_pb.js";
export type { List } from "./lists.js";
export type { CallOptions } from "./receipts.js";
export type { Request, Session } from "./session.js";
export type { Token } from "./token.js";
export type { Watch } from "./watch.js";
