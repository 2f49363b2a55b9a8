import { GraphQLError, parse } from 'graphql';
import mercurius from 'mercurius';
import { z } from 'zod';

import { UnreadableMessage, invalidArgument } from './errors.js';
import { graphqlResolvers } from './graphql-resolvers.js';
import { graphqlSchema } from './graphql-schema.js';
import { readAs } from './json.js';

/** @typedef {import('./graphql-resolvers.js').GraphqlContext} GraphqlContext */

const MAX_TOKENS = 2000;
const MAX_DEPTH = 8;
const MAX_ROOT_FIELDS = 10;

// GraphQL takes an ID as a string or an integer, and knows no bigint.
const variable = z.unknown().transform((value) => (typeof value === 'bigint' ? value.toString() : value));

const bodySchema = z.object({
  query: z.string(),
  variables: z.record(z.string(), variable).nullish(),
  operationName: z.string().nullish(),
});

/**
 * Each root field may cost a request to the recommender, and aliases allow any number of them.
 *
 * @param {import('graphql').ValidationContext} context
 * @returns {import('graphql').ASTVisitor}
 */
function rootFieldsBounded(context) {
  let count = 0;
  return {
    Field(node) {
      if (context.getParentType() !== context.getSchema().getQueryType()) return;
      count += 1;
      if (count === MAX_ROOT_FIELDS + 1) {
        context.reportError(new GraphQLError(`more than ${MAX_ROOT_FIELDS} fields of Query`, { nodes: node }));
      }
    },
  };
}

/**
 * Registers `POST /graphql`.
 *
 * @param {import('fastify').FastifyInstance} app
 * @param {Pick<GraphqlContext, 'profiles' | 'recommenders' | 'log'>} services
 */
export async function registerGraphql(app, services) {
  await app.register(mercurius, {
    schema: graphqlSchema,
    resolvers: graphqlResolvers,
    routes: false,
    queryDepth: MAX_DEPTH,
    validationRules: [rootFieldsBounded],
    errorFormatter: ({ data, errors = [] }) => ({
      statusCode: 200,
      response: { data: data ?? null, errors: errors.map((error) => presentable(error, services.log)) },
    }),
  });
  app.post('/graphql', async (request, reply) => {
    const { query, variables, operationName } = readBody(request.body);
    try {
      // Mercurius would take a query that does not parse for a syntax tree in JSON.
      parse(query, { maxTokens: MAX_TOKENS });
      const context = { ...services, headers: request.headers };
      return await reply.graphql(query, context, variables ?? {}, operationName ?? undefined);
    } catch (error) {
      const refusals = refusalsIn(error);
      if (refusals === undefined) throw error;
      return reply.code(400).send({ errors: refusals.map(refusal) });
    }
  });
}

/** @param {unknown} body */
function readBody(body) {
  try {
    return readAs(bodySchema, body);
  } catch (error) {
    throw error instanceof UnreadableMessage ? invalidArgument(error.message) : error;
  }
}

/**
 * @param {unknown} error
 * @returns {readonly GraphQLError[] | undefined} why the query is not executed; undefined when the fault is ours
 */
function refusalsIn(error) {
  if (error instanceof GraphQLError) return [error];
  const { errors } = /** @type {{ errors?: unknown }} */ (error ?? {});
  if (!Array.isArray(errors)) return undefined;
  return errors.every((each) => each instanceof GraphQLError) ? errors : undefined;
}

/** @param {GraphQLError} error */
function refusal({ message, locations }) {
  return { message, locations, extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } };
}

/**
 * Only errors that the resolvers made for the client carry a code; any other is a fault of ours and stays here.
 *
 * @param {GraphQLError} error
 * @param {(line: string) => void} log
 * @returns {GraphQLError}
 */
function presentable(error, log) {
  if (typeof error.extensions.code === 'string') return error;
  log(`a field failed: ${error.path?.join('.')}: ${error.message}`);
  return new GraphQLError('internal error', {
    ...(error.nodes && { nodes: error.nodes }),
    ...(error.path && { path: error.path }),
    extensions: { code: 'INTERNAL' },
  });
}
