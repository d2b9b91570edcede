/** A promise that a machine invokes and does not know how to keep: `machine.provide` fills it, in the runtime or a test. */
import { fromPromise, type PromiseActorLogic } from 'xstate';

export const port = <Output, Input>(name: string): PromiseActorLogic<Output, Input> =>
  fromPromise<Output, Input>(() => Promise.reject(new Error(`The port ${name} was not provided.`)));
