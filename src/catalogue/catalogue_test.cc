#include "catalogue/catalogue.h"

#include <string>

#include <gtest/gtest.h>

#include "testing/property.h"

namespace suan::catalogue {
namespace {

Member member(std::uint64_t id, std::string name, std::uint64_t incarnation = 1) {
  return {MemberId{id}, std::move(name), MemberKind::engine, OrganisationId{1}, incarnation, ""};
}

Site site(std::uint64_t id, std::string name) {
  Site made;
  made.id = SiteId{id};
  made.name = std::move(name);
  return made;
}

Pool pool(std::uint64_t id, std::uint64_t in, std::string name) {
  Pool made;
  made.id = PoolId{id};
  made.site = SiteId{in};
  made.member = MemberId{1};
  made.name = std::move(name);
  return made;
}

Catalogue two_sites() {
  Catalogue catalogue;
  catalogue.apply(MemberStarted{member(1, "engine")});
  catalogue.apply(SiteDescribed{site(1, "here")});
  catalogue.apply(SiteDescribed{site(2, "there")});
  catalogue.apply(PoolOffered{pool(1, 1, "gpu")});
  catalogue.apply(PoolOffered{pool(2, 2, "gpu")});
  return catalogue;
}

TEST(Catalogue, FindsByNameWithinItsSite) {
  const Catalogue catalogue = two_sites();
  EXPECT_EQ(catalogue.find_member("engine")->id, MemberId{1});
  EXPECT_EQ(catalogue.find_site("there")->id, SiteId{2});
  EXPECT_EQ(catalogue.find_pool(SiteId{1}, "gpu")->id, PoolId{1});
  EXPECT_EQ(catalogue.find_pool(SiteId{2}, "gpu")->id, PoolId{2});
  EXPECT_EQ(catalogue.find_pool(SiteId{2}, "cpu"), nullptr);
  EXPECT_EQ(catalogue.find_site("her"), nullptr);
  EXPECT_EQ(catalogue.find_member("here"), nullptr);
  EXPECT_EQ(catalogue.pool_name(catalogue.pools().at(PoolId{2})), "there/gpu");
}

TEST(Catalogue, AnOfferOrAStartReplacesTheOneBefore) {
  Catalogue catalogue = two_sites();
  Pool bigger = pool(1, 1, "gpu");
  bigger.nodes = 7;
  catalogue.apply(PoolOffered{bigger});
  catalogue.apply(MemberStarted{member(1, "engine", 2)});
  Site moved = site(1, "here");
  moved.city = "庆阳";
  catalogue.apply(SiteDescribed{moved});
  EXPECT_EQ(catalogue.pools().size(), 2U);
  EXPECT_EQ(catalogue.find_pool(SiteId{1}, "gpu")->nodes, 7U);
  EXPECT_EQ(catalogue.find_member("engine")->incarnation, 2U);
  EXPECT_EQ(catalogue.find_site("here")->city, "庆阳");
}

void expect_finds_all(const Catalogue& catalogue) {
  for (const auto& [id, each] : catalogue.members())
    EXPECT_EQ(catalogue.find_member(each.name)->id, id);
  for (const auto& [id, each] : catalogue.sites())
    EXPECT_EQ(catalogue.find_site(each.name)->id, id);
  for (const auto& [id, each] : catalogue.pools())
    EXPECT_EQ(catalogue.find_pool(each.site, each.name)->id, id);
}

TEST(Catalogue, IndexesAreTheSameWhenTheyAreMadeAnew) {
  for_each_seed(
      [](Random& random) {
        Catalogue catalogue = two_sites();
        for (std::uint64_t n = 3; n < 40; ++n) {
          const std::string name = "n" + std::to_string(n);
          const std::uint64_t in = 1 + random.below(std::uint64_t{2});
          switch (random.below(4U)) {
            case 0:
              catalogue.apply(MemberStarted{member(n, name)});
              break;
            case 1:
              catalogue.apply(SiteDescribed{site(n, name)});
              break;
            case 2:
              catalogue.apply(PoolOffered{pool(n, in, name)});
              break;
            default:
              catalogue.apply(PoolOffered{pool(in, in, "gpu")});
          }
        }
        expect_finds_all(catalogue);
        catalogue.reindex();
        expect_finds_all(catalogue);
        EXPECT_EQ(catalogue.find_site("nowhere"), nullptr);
      },
      100);
}

TEST(CatalogueDeathTest, APoolOfNobodyOrWithTooManyCardsIsABug) {
  Catalogue catalogue = two_sites();
  Pool orphan = pool(3, 1, "orphan");
  orphan.member = MemberId{9};
  EXPECT_DEATH(catalogue.apply(PoolOffered{orphan}), "catalogue.cc");
  Pool wide = pool(3, 1, "wide");
  wide.cards_per_node = 65;
  EXPECT_DEATH(catalogue.apply(PoolOffered{wide}), "catalogue.cc");
  EXPECT_DEATH(catalogue.apply(PoolOffered{pool(3, 9, "nowhere")}), "table.h");
}

}  // namespace
}  // namespace suan::catalogue
