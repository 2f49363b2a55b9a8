import type { GraphqlContext } from './graphql-resolvers.js';

declare module 'mercurius' {
  interface MercuriusContext extends GraphqlContext {}
}
