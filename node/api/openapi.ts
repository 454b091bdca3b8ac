import { z } from 'zod'
import { BYTES_TYPE, JSON_TYPE, type Route } from './route.ts'

/** @returns the OpenAPI 3.1 document of the table; what it says is what routing and checks use */
export function describeApi(routes: readonly Route[], version: string): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {}
  for (const route of routes) (paths[route.path] ??= {})[route.method.toLowerCase()] = describeRoute(route)
  return {
    openapi: '3.1.0',
    info: { title: 'Kairos node', version, license: { name: 'Apache-2.0 OR MIT' } },
    paths,
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer', description: 'The content of `api.token`.' } },
      schemas: { Error: ERROR_SCHEMA },
    },
  }
}

const ERROR_SCHEMA = {
  type: 'object',
  required: ['error'],
  properties: {
    error: {
      type: 'object',
      required: ['code', 'message'],
      properties: { code: { type: 'string' }, message: { type: 'string' }, hint: { type: 'string' } },
    },
  },
}

function describeRoute(route: Route): Record<string, unknown> {
  const takesJson = route.accepts.includes(JSON_TYPE)
  const content = (types: readonly string[], schema: unknown) =>
    Object.fromEntries(types.map((type) => [type, { schema }]))
  const error = {
    description: 'Refused or failed.',
    content: content([JSON_TYPE], { $ref: '#/components/schemas/Error' }),
  }
  return {
    operationId: `${route.method.toLowerCase()}${route.path.replace(/[/.]+(\w)/g, (_, first: string) => first.toUpperCase())}`,
    summary: route.summary,
    'x-kairos-policy': route.policy,
    security: route.policy === 'none' ? [] : [{ token: [] }],
    ...(takesJson ? {} : { parameters: parametersOf(route) }),
    ...(route.accepts.length === 0 ? {} : { requestBody: { required: true, content: bodyOf(route, takesJson) } }),
    responses: {
      200: { description: route.summary, content: content(route.produces, schemaOf(route.produces[0])) },
      default: error,
    },
  }
}

function bodyOf(route: Route, takesJson: boolean): Record<string, unknown> {
  const schema = takesJson ? jsonSchema(route.params) : schemaOf(BYTES_TYPE)
  return Object.fromEntries(route.accepts.map((type) => [type, { schema }]))
}

function parametersOf({ params }: Route): unknown[] {
  const { properties = {} } = jsonSchema(params)
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: 'query',
    required: !params.shape[name].safeParse(undefined).success,
    schema,
  }))
}

/** Of the checked values: what a query spells as text is a number or a boolean there. */
function jsonSchema(params: z.ZodObject): { properties?: Record<string, unknown> } {
  const { $schema: _, required: __, ...schema } = z.toJSONSchema(params, { io: 'output' })
  const required = Object.keys(params.shape).filter((name) => !params.shape[name].safeParse(undefined).success)
  return { ...schema, ...(required.length === 0 ? {} : { required }) } as { properties?: Record<string, unknown> }
}

function schemaOf(type: string | undefined): unknown {
  return type === JSON_TYPE ? { type: 'object' } : { type: 'string' }
}
