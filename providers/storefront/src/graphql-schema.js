export const graphqlSchema = /* GraphQL */ `
  type Query {
    "What to show; without a userId, to a visitor who is not signed in."
    recommendations(
      userId: ID
      transport: Transport! = HTTP
      "From 1 to 50."
      limit: Int
      "Only these; none given: all of them."
      categories: [String!]
    ): RecommendationList!
    "null: no such customer."
    profile(id: ID!): Profile
  }

  "How the gateway asks the recommender; the result is the same."
  enum Transport {
    HTTP
    GRPC
  }

  type RecommendationList {
    requestId: String!
    "RFC 3339, UTC."
    generatedAt: String
    "Best first."
    items: [Recommendation!]!
  }

  type Recommendation {
    product: Product!
    score: Float!
    "null: no model scored the product."
    confidence: Float
    reason: String
    "The price with the discount taken off."
    finalPrice: Money!
  }

  type Product {
    id: ID!
    name: String!
    category: String!
    availability: Availability!
    "null: none, which is not 0."
    discount: Float
    price: Money!
  }

  enum Availability {
    AVAILABILITY_UNSPECIFIED
    AVAILABILITY_IN_STOCK
    AVAILABILITY_BACKORDER
    AVAILABILITY_DISCONTINUED
  }

  type Money {
    "ISO 4217."
    currencyCode: String!
    "A 64-bit integer in decimal."
    units: String!
    "Billionths of a unit."
    nanos: Int!
  }

  type Profile {
    id: ID!
    displayName: String!
    "null: never given; empty: removed by the customer."
    nickname: String
    tier: Tier!
    "null: not known yet."
    priceSensitivity: Float
    categoryAffinity: [CategoryAffinity!]!
    "RFC 3339, UTC."
    memberSince: String!
    lastOrderId: ID
    "At most one of email and phone is there."
    email: String
    phone: String
  }

  enum Tier {
    TIER_UNSPECIFIED
    TIER_STANDARD
    TIER_PREMIUM
  }

  type CategoryAffinity {
    category: String!
    "From -1 (never) to 1 (always)."
    affinity: Float!
  }
`;
